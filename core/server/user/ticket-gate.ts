import type { KeyObject } from 'node:crypto';

import { type IssuedTicket, monotonicMs, openTicket, ticketLifetimeMs, TicketRefused } from './ticket.ts';

/** So many tickets may be used within their lifetime; more is no site but an attack. */
const defaultMaxUsed = 100_000;

export interface TicketGateOptions {
  readonly minUid: number;
  readonly maxUsed?: number;
  readonly nowMs?: () => number;
}

/** Where tickets are shown: each is let through once, and none of a system account. */
export class TicketGate {
  #key: KeyObject;
  readonly #minUid: number;
  readonly #maxUsed: number;
  readonly #nowMs: () => number;
  /** Nonces and when they may be forgotten, the oldest first. */
  readonly #used = new Map<string, number>();

  constructor(key: KeyObject, options: TicketGateOptions) {
    const { minUid, maxUsed = defaultMaxUsed, nowMs = monotonicMs } = options;
    this.#key = key;
    this.#minUid = minUid;
    this.#maxUsed = maxUsed;
    this.#nowMs = nowMs;
  }

  /** From here on another key seals tickets: a new auth process has taken over. What the old one sealed is void. */
  trust(key: KeyObject): void {
    this.#key = key;
  }

  /** The ticket that the client of this connection has got. Throws a TicketRefused. */
  admit(sealed: string, connection: string): IssuedTicket {
    const nowMs = this.#nowMs();
    const ticket = openTicket(sealed, this.#key, nowMs);
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
    this.#used.set(nonce, nowMs + ticketLifetimeMs);
  }
}

/** Throws a TicketRefused for root and the system's own accounts. */
export function refuseSystemUid(uid: number, minUid: number): void {
  if (uid === 0 || uid < minUid) throw new TicketRefused(`uid ${uid} is of the system: minUid is ${minUid}`);
}
