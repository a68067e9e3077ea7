/** What the mailbox may hold: before and after one change, with mail that came meanwhile. */
export class Expectation {
  #before: Buffer;
  #change: ((before: Buffer, mails: readonly Buffer[]) => readonly Buffer[]) | undefined;
  #mails: Buffer[] = [];
  #certain: 'before' | 'after' | 'either' = 'before';

  constructor(content: Buffer) {
    this.#before = content;
  }

  get settled(): boolean {
    return this.#certain !== 'either';
  }

  /** Mails since the last start. */
  get deliveries(): number {
    return this.#mails.length;
  }

  /** From now on either is right. `change` answers each right content, given the mail that came since. */
  begin(change: (before: Buffer, mails: readonly Buffer[]) => readonly Buffer[]): void {
    this.#change = change;
    this.#certain = 'either';
  }

  /** The client was told, or the content was seen and cannot go back. */
  settle(certain: 'before' | 'after' | 'either'): void {
    this.#certain = certain;
  }

  deliver(mail: Buffer): void {
    this.#mails.push(mail);
  }

  /** Whether the content is right. */
  allows(content: Buffer): boolean {
    const before = Buffer.concat([this.#before, ...this.#mails]);
    if (this.#certain !== 'after' && content.equals(before)) return true;
    if (this.#certain === 'before' || this.#change === undefined) return false;
    return this.#change(this.#before, this.#mails).some((after) => content.equals(after));
  }

  /** Everything starts anew from this content. */
  restart(content: Buffer): void {
    this.#before = content;
    this.#change = undefined;
    this.#mails = [];
    this.#certain = 'before';
  }
}

/** Deleting takes octets out of what there was; later mail stays behind it. */
export function deleting(deleted: Float64Array) {
  return (before: Buffer, mails: readonly Buffer[]): readonly Buffer[] => {
    const kept: Buffer[] = [];
    let position = 0;
    for (let edge = 0; edge < deleted.length; edge += 2) {
      kept.push(before.subarray(position, deleted[edge]));
      position = deleted[edge + 1] ?? before.length;
    }
    return [Buffer.concat([...kept, before.subarray(position), ...mails])];
  };
}

/** The content comes before, between or behind what others append. */
export function appending(content: Buffer) {
  return (before: Buffer, mails: readonly Buffer[]): readonly Buffer[] =>
    Array.from({ length: mails.length + 1 }, (_, index) =>
      Buffer.concat([before, ...mails.slice(0, index), content, ...mails.slice(index)]),
    );
}

/** The end becomes another; later mail stays behind it. */
export function rewriting(start: number, content: Buffer) {
  return (before: Buffer, mails: readonly Buffer[]): readonly Buffer[] => [
    Buffer.concat([before.subarray(0, start), content, ...mails]),
  ];
}
