/** How big a bench is. */
export interface Scale {
  readonly rounds: number;
  readonly users: number;
  readonly messagesOfUser: number;
  /** Sessions at one time. */
  readonly clients: number;
  /** Milliseconds of each load that is not over when each user has been served once. */
  readonly durationMs: number;
  readonly bigMessages: number;
  readonly bigOctets: number;
  readonly hugeMessages: number;
  readonly hugeBodyOctets: number;
  /** Deliveries to the huge mailbox, each followed by a session. */
  readonly hugeDeliveries: number;
  readonly idleSessions: number;
  /** Users who come one after the other, and for whom no process is there: no more than there are idle sessions. */
  readonly newcomers: number;
}

export const wholeScale: Scale = {
  rounds: 5,
  users: 200,
  messagesOfUser: 30,
  clients: 16,
  durationMs: 2000,
  // 190 MB: popa3d refuses a mailbox of 200.
  bigMessages: 38,
  bigOctets: 5_000_000,
  hugeMessages: 100_000,
  hugeBodyOctets: 9300,
  hugeDeliveries: 3,
  idleSessions: 1000,
  newcomers: 100,
};

/** Enough to see that everything works; its figures say little. */
export const quickScale: Scale = {
  rounds: 1,
  users: 24,
  messagesOfUser: 6,
  clients: 8,
  durationMs: 200,
  bigMessages: 2,
  bigOctets: 1_000_000,
  hugeMessages: 500,
  hugeBodyOctets: 3000,
  hugeDeliveries: 1,
  idleSessions: 30,
  newcomers: 3,
};
