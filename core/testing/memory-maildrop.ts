import type { Maildrop } from '../maildrop/maildrop.ts';
import { OctetCounter } from '../protocol/octet-counter.ts';
import { latin1 } from './client.ts';

/** A message as stored: a string has one octet for each character. */
export type Text = string | Uint8Array | { readonly uid: string; readonly text: string | Uint8Array };

/** A maildrop in memory, over a list of messages. Extend it where a test needs one that breaks. */
export class MemoryMaildrop implements Maildrop {
  readonly count: number;
  readonly totalOctets: number;
  readonly #messages: readonly StoredMessage[];
  readonly #removed = new Set<number>();
  #closings = 0;

  constructor(texts: readonly Text[]) {
    this.#messages = texts.map(storedMessage);
    this.count = texts.length;
    this.totalOctets = this.#messages.reduce((sum, { octets }) => sum + octets, 0);
  }

  octetsOf(index: number): number {
    return this.#at(index).octets;
  }

  uidOf(index: number): string {
    return this.#at(index).uid;
  }

  // oxlint-disable-next-line no-unused-vars -- whoever overrides this may need the signal; memory does not wait
  async *read(index: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    yield this.#at(index).stored;
  }

  async commit(deleted: ReadonlySet<number>): Promise<void> {
    for (const index of deleted) this.#removed.add(index);
  }

  async close(): Promise<void> {
    this.#closings += 1;
  }

  /** The messages that no commit has removed, one character for each octet. */
  kept(): readonly string[] {
    return this.#left().map(({ stored }) => Buffer.from(stored).toString('latin1'));
  }

  keptUids(): readonly string[] {
    return this.#left().map(({ uid }) => uid);
  }

  /** How many times it was closed: once is right. */
  get closings(): number {
    return this.#closings;
  }

  #left(): readonly StoredMessage[] {
    return this.#messages.filter((_, index) => !this.#removed.has(index));
  }

  #at(index: number): StoredMessage {
    const message = this.#messages[index];
    if (message === undefined) throw new RangeError(`there is no message with the index ${index}`);
    return message;
  }
}

export const memoryMaildrop = (texts: readonly Text[]): MemoryMaildrop => new MemoryMaildrop(texts);

interface StoredMessage {
  readonly uid: string;
  readonly stored: Uint8Array;
  readonly octets: number;
}

function storedMessage(given: Text, index: number): StoredMessage {
  const named =
    typeof given === 'object' && 'uid' in given ? given : { uid: `uid-${index + 1}`, text: given };
  const stored = typeof named.text === 'string' ? latin1(named.text) : named.text;
  const counter = new OctetCounter();
  counter.add(stored);
  return { uid: named.uid, stored, octets: counter.end() };
}
