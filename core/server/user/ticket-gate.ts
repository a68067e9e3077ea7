import {
  type IssuedTicket,
  type KeysOf,
  monotonicMs,
  openTicket,
  ticketLifetimeMs,
  TicketRefused,
} from './ticket.ts';

/** So many tickets may be used within their lifetime; more is no site but an attack. */
const defaultMaxUsed = 100_000;

export interface TicketGateOptions {
  readonly minUid: number;
  readonly maxUsed?: number;
  /** Milliseconds that a ticket may come here after its lifetime, because somebody had to wait with it. Default none. */
  readonly lateMs?: number;
  readonly nowMs?: () => number;
}

/** Where tickets are shown: each is let through once, and none of a system account. */
export class TicketGate {
  readonly #keysOf: KeysOf;
  readonly #minUid: number;
  readonly #maxUsed: number;
  readonly #lateMs: number;
  readonly #nowMs: () => number;
  /** Nonces and when they may be forgotten, the oldest first. */
  readonly #used = new Map<string, number>();

  constructor(keysOf: KeysOf, options: TicketGateOptions) {
    const { minUid, maxUsed = defaultMaxUsed, lateMs = 0, nowMs = monotonicMs } = options;
    this.#keysOf = keysOf;
    this.#lateMs = lateMs;
    this.#minUid = minUid;
    this.#maxUsed = maxUsed;
    this.#nowMs = nowMs;
  }

  /** The ticket that the client of this connection has got. Throws a TicketRefused. */
  admit(sealed: string, connection: string): IssuedTicket {
    const nowMs = this.#nowMs();
    const ticket = openTicket(sealed, this.#keysOf, { nowMs, lateMs: this.#lateMs });
    if (ticket.connection !== connection) throw new TicketRefused('the ticket is for another connection');
    refuseSystemUid(ticket.identity.uid, this.#minUid);
    this.#useUp(ticket.nonce, nowMs);
    return ticket;
  }

  #useUp(nonce: string, nowMs: number): void {
    for (const [old, forgetAtMs] of this.#used) {
      if (forgetAtMs > nowMs) break;
      this.#used.delete(old);
    }
    if (this.#used.has(nonce)) throw new TicketRefused('the ticket has been used before');
    if (this.#used.size >= this.#maxUsed) throw new TicketRefused('too many tickets within their lifetime');
    this.#used.set(nonce, nowMs + ticketLifetimeMs + this.#lateMs);
  }
}

/** Throws a TicketRefused for root and the system's own accounts. */
export function refuseSystemUid(uid: number, minUid: number): void {
  if (uid === 0 || uid < minUid) throw new TicketRefused(`uid ${uid} is of the system: minUid is ${minUid}`);
}
