import type { AppendableMaildrop, Claim, Maildrop, NewMessage } from 'popperd';

import { addMessages } from './addition.ts';
import type { Mailbox } from './mailbox.ts';
import { type FoundMessage, MessageChunks } from './message-chunks.ts';
import { MessageReader, messageChanged } from './message-reader.ts';
import { Placement } from './placement.ts';
import { removeMessages } from './removal.ts';
import { type Extent, Rows } from './rows.ts';
import { openSpoolFile } from './spool-file.ts';
import { uidText } from './uids.ts';

/** One session's view of an mbox: what was listed at its start, found again wherever it is now. */
export class MboxMaildrop implements AppendableMaildrop {
  readonly count: number;
  readonly totalOctets: number;
  readonly #mailbox: Mailbox;
  readonly #claim: Claim;
  readonly #onFailure: (error: unknown) => void;
  #listed: Rows | undefined;
  #placement: Placement | undefined;
  #reader: MessageReader | undefined;
  #isHandedOn = false;

  /** The claim is the session lock on the mailbox; `close` lets it go. `onFailure` hears of changes that failed. */
  constructor(mailbox: Mailbox, claim: Claim, onFailure: (error: unknown) => void) {
    this.count = mailbox.header.count;
    this.totalOctets = mailbox.header.totalOctets;
    this.#mailbox = mailbox;
    this.#claim = claim;
    this.#onFailure = onFailure;
    this.#reader = mailbox.takeReader();
  }

  async load(): Promise<void> {
    await this.#placed();
  }

  octetsOf(index: number): number {
    return this.#rowsOf(index).octetsOf(index);
  }

  uidOf(index: number): string {
    return uidText(this.#rowsOf(index).uidOf(index));
  }

  read(index: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return new MessageChunks(
      {
        findHere: () => this.#findHere(index),
        find: () => this.#find(index),
        isStillThere: (found) => this.#isStill(index, found),
      },
      signal,
    );
  }

  async commit(deleted: ReadonlySet<number>): Promise<void> {
    if (deleted.size === 0) return;
    const placement = await this.#placed();
    await this.#telling(removeMessages(this.#mailbox, placement, deleted));
  }

  async append(messages: readonly NewMessage[]): Promise<Maildrop> {
    await this.#telling(addMessages(this.#mailbox, messages));
    this.#isHandedOn = true;
    await this.#closeReader();
    return new MboxMaildrop(this.#mailbox, this.#claim, this.#onFailure);
  }

  async close(): Promise<void> {
    if (this.#isHandedOn) return;
    try {
      await this.#closeReader();
      await this.#mailbox.save();
    } finally {
      await this.#claim.release();
    }
  }

  async #telling(change: Promise<void>): Promise<void> {
    try {
      await change;
    } catch (error) {
      this.#onFailure(error);
      throw error;
    }
  }

  #rowsOf(index: number): Rows {
    const rows = this.#listed;
    if (rows === undefined) throw new Error('load() comes before octetsOf and uidOf');
    if (!Number.isInteger(index) || index < 0 || index >= rows.count) {
      throw new RangeError(`there is no message with index ${index}`);
    }
    return rows;
  }

  async #placed(): Promise<Placement> {
    this.#listed ??= await this.#mailbox.rows();
    this.#placement ??= new Placement(this.#listed, this.#listed, this.#listed.count);
    return this.#placement;
  }

  /** Most messages are where the one before them was read. */
  #findHere(index: number): FoundMessage | undefined {
    const reader = this.#reader;
    const extent = this.#placement && extentOf(this.#placement, index);
    return reader !== undefined && extent !== undefined && reader.has(extent)
      ? { reader, extent }
      : undefined;
  }

  /** Where the message is, with its beginning read. Throws a Failure (SYS/TEMP) if it is gone. */
  async #find(index: number): Promise<FoundMessage> {
    for (let attempt = 0; attempt < maxLooks; attempt += 1) {
      const extent = extentOf(await this.#placed(), index);
      const reader = extent && (await this.#openReader());
      if (extent === undefined || reader === undefined) break;
      if (await reader.find(extent)) return { reader, extent };
      await this.#lookAgain();
    }
    throw messageChanged(`${this.#mailbox.place.path}: message ${index + 1} is not there any more`);
  }

  async #isStill(index: number, { reader, extent }: FoundMessage): Promise<boolean> {
    await this.#lookAgain();
    const now = extentOf(await this.#placed(), index);
    // Another reader means another file under the name.
    return this.#reader === reader && now !== undefined && isSameExtent(now, extent);
  }

  /** The mailbox has changed: finds the messages in it again. */
  async #lookAgain(): Promise<void> {
    const former = await this.#placed();
    const { ino } = this.#mailbox.header.stamp;
    const found = await this.#mailbox.lookAgain();
    this.#placement = former.moved(found?.rows ?? Rows.none, found?.keptCount ?? 0);
    if (this.#mailbox.header.stamp.ino === ino) this.#reader?.renew(this.#mailbox.header);
    else await this.#closeReader();
  }

  async #openReader(): Promise<MessageReader | undefined> {
    if (this.#reader !== undefined) return this.#reader;
    const { path, trust, surroundings } = this.#mailbox.place;
    const file = await openSpoolFile(surroundings.files, path, 'read', trust);
    if (file === undefined) return undefined;
    this.#reader = new MessageReader(file, this.#mailbox.header, surroundings.windows);
    return this.#reader;
  }

  async #closeReader(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.close();
  }
}

/** A mailbox that changes faster than it can be looked at is given up. */
const maxLooks = 4;

function extentOf(placement: Placement, index: number): Extent | undefined {
  const row = placement.rowOf(index);
  if (row === undefined) return undefined;
  const { rows } = placement;
  return {
    offset: rows.offsetOf(row),
    envelopeOctets: rows.envelopeOctetsOf(row),
    contentOctets: rows.contentOctetsOf(row),
    separatorOctets: rows.separatorOctetsOf(row),
  };
}

const isSameExtent = (one: Extent, other: Extent): boolean =>
  one.offset === other.offset &&
  one.envelopeOctets === other.envelopeOctets &&
  one.contentOctets === other.contentOctets;
