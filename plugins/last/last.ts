import { type Command, defineCommand, ok, type Session, type TransactionSession } from 'popperd';

import { HighestNumber } from './highest-number.ts';
import { HighestRead } from './highest-read.ts';
import type { Meaning } from './options.ts';

/** One session's answer to LAST. */
export interface Last {
  /** The client has had this message. */
  note(number: number): void;
  /** RSET: as it was at the login. */
  reset(): void;
  /** 0 where there is no such message. Reads messages where it has to, and throws what reading throws. */
  highest(session: TransactionSession): number | Promise<number>;
}

/** LAST for all sessions. A maildrop that is entered begins anew, as a login does. */
export class Lasts {
  /** The commands that give a client a message, by this meaning. */
  readonly counted: readonly string[];
  readonly #meaning: Meaning;
  readonly #bySession = new WeakMap<Session, Last>();

  constructor(meaning: Meaning) {
    this.#meaning = meaning;
    this.counted = countedBy[meaning];
  }

  /** `words` is what stood behind the keyword: a message number first, which was good enough for a +OK. */
  note(session: Session, words: string): void {
    this.of(session).note(Number(words.split(' ', 1)[0]));
  }

  reset(session: Session): void {
    this.of(session).reset();
  }

  of(session: Session): Last {
    const known = this.#bySession.get(session);
    if (known !== undefined) return known;
    const last = this.#meaning === 'read' ? new HighestRead() : new HighestNumber();
    this.#bySession.set(session, last);
    return last;
  }

  textOf(number: number): string {
    return `${number}${said[this.#meaning]}`;
  }
}

const countedBy = {
  accessed: ['RETR', 'TOP', 'DELE'],
  ucb: ['RETR', 'DELE'],
  read: ['RETR'],
} as const satisfies Record<Meaning, readonly string[]>;

const said = {
  accessed: '',
  ucb: ' is the last message seen.',
  read: ' is the last read message.',
} as const satisfies Record<Meaning, string>;

/** LAST (RFC 1081, RFC 1460). Not in CAPA: it was gone (RFC 1725) before that came. */
export const lastCommand = (lasts: Lasts): Command =>
  defineCommand({
    keyword: 'LAST',
    states: ['TRANSACTION'],
    usage: 'LAST',
    parse: () => undefined,
    run: async (_, session) => ok(lasts.textOf(await lasts.of(session).highest(session))),
  });
