/**
 * An opened, locked maildrop. A store plugin returns one from the `openMaildrop` hook; the session owns it from then
 * on and closes it exactly once, whatever happens. Columns, not one object a message: a poll that finds nothing new
 * costs the same for ten messages and for a million.
 */
export interface Maildrop {
  /** Messages in the drop; number 1 is index 0. Mail that arrives later is not added (RFC 1939 section 4). */
  readonly count: number;
  /** Sum of `octetsOf` over all messages. */
  readonly totalOctets: number;
  /**
   * Brings in what `octetsOf` and `uidOf` answer from, for a store that opens without it. The core awaits it before
   * the first command that needs more than `count` and `totalOctets`; it may be called again.
   */
  load?(): Promise<void>;
  /** Octets as RETR sends them: CRLF line ends, byte-stuffing and the final dot not counted (RFC 1939 section 11). */
  octetsOf(index: number): number;
  /** UIDL unique-id: 1 to 70 characters in 0x21-0x7E, unique in the drop, the same in every session. */
  uidOf(index: number): string;
  /**
   * The message as stored, in chunks of any size. The core makes line ends and byte-stuffing right on the wire. A chunk is
   * valid until the next one is asked for: who wraps a maildrop and keeps one keeps a copy. A store that has messages in memory gives
   * them faster by `Pieces`.
   */
  read(index: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** True where nothing can be removed, and is not to be: DELE marks, and UPDATE passes the marks over. */
  readonly readOnly?: boolean;
  /** The number that a message has for good on its bulletin board: LIST shows it behind the octets (RFC 1082). */
  boardNumberOf?(index: number): number;
  /**
   * For a store that can tell before `commit`: rejects with a Failure where nothing may be removed. The core awaits it before it runs
   * a command that marks, until it has resolved once, and answers the command with what it rejects with. Changes nothing.
   */
  mayDelete?(): Promise<void>;
  /**
   * Removes exactly these, durably, or throws having removed none that it can help. One that has removed some throws a
   * `PartlyRemoved`, so that the log does not say that all of them stayed.
   */
  commit(deleted: ReadonlySet<number>): Promise<void>;
  /**
   * Releases locks and files. Comes after `commit`, or instead of it. A maildrop that wraps another one closes that, too.
   */
  close(): Promise<void>;
}

/** A message to be added, as stored: no envelope line, any line ends. */
export interface NewMessage {
  /** Names the message for good, so that a second append of the same one can be recognised. */
  readonly key: string;
  readonly octets: Uint8Array;
}

/** What a store may be able to do besides: ask for it with `canAppend`. */
export interface AppendableMaildrop extends Maildrop {
  /** Adds messages at the end, durably, all or none; returns the renumbered drop, which replaces this one. */
  append(messages: readonly NewMessage[]): Promise<Maildrop>;
}

export const canAppend = (maildrop: Maildrop): maildrop is AppendableMaildrop =>
  'append' in maildrop && typeof maildrop.append === 'function';
