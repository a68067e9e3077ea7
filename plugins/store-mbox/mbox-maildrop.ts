import { type AppendableMaildrop, type Claim, Failure, type Maildrop, type NewMessage } from 'popperd';

import { addMessages } from './addition.ts';
import type { Mailbox } from './mailbox.ts';
import { type FoundMessage, MessageChunks } from './message-chunks.ts';
import { MessageReader, messageChanged } from './message-reader.ts';
import { Placement } from './placement.ts';
import { removeMessages } from './removal.ts';
import { type Extent, Rows } from './rows.ts';
import { mayNotBeChanged, openSpoolFile, whyNotChanged } from './spool-file.ts';
import { hasStatusesToUpdate, updateStatuses } from './status-update.ts';
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
  /** Indexes of messages that were read to their end, where somebody wants to know. */
  readonly #retrieved: Set<number> | undefined;
  /** The reader reads a copy of the session's own, which never changes. */
  readonly #isCopy: boolean;
  #isHandedOn = false;
  /** Nothing may be removed, as was found out. */
  #isForbidden = false;

  /** The claim is the session lock on the mailbox; `close` lets it go. `onFailure` hears of changes that failed. */
  static async open(
    mailbox: Mailbox,
    claim: Claim,
    onFailure: (error: unknown) => void,
  ): Promise<MboxMaildrop> {
    const reader = mailbox.takeReader();
    const { temporaryMaildrop } = mailbox.place.surroundings.options;
    if (!temporaryMaildrop || mailbox.header.count === 0)
      return new MboxMaildrop(mailbox, claim, { onFailure, reader, isCopy: false });
    await reader?.close();
    const copy = await copyOf(mailbox);
    return new MboxMaildrop(mailbox, claim, { onFailure, reader: copy, isCopy: copy !== undefined });
  }

  private constructor(mailbox: Mailbox, claim: Claim, { onFailure, reader, isCopy }: Beginning) {
    this.count = mailbox.header.count;
    this.totalOctets = mailbox.header.totalOctets;
    this.#mailbox = mailbox;
    this.#claim = claim;
    this.#onFailure = onFailure;
    this.#reader = reader;
    this.#isCopy = isCopy;
    this.#retrieved = mailbox.place.surroundings.options.updateStatus ? new Set() : undefined;
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
        onWhole: () => this.#retrieved?.add(index),
      },
      signal,
    );
  }

  /** Where the mailbox may not be changed, on a read-only disk for one, the client hears it at DELE; the log is told once. */
  async mayDelete(): Promise<void> {
    const { path, surroundings } = this.#mailbox.place;
    const refusal = this.#isForbidden ? mayNotBeChanged() : await whyNotChanged(surroundings.files, path);
    this.#isForbidden = refusal !== undefined;
    if (refusal !== undefined) throw refusal;
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
    return MboxMaildrop.open(this.#mailbox, this.#claim, this.#onFailure);
  }

  async close(): Promise<void> {
    if (this.#isHandedOn) return;
    try {
      await this.#closeReader();
      await this.#updateStatuses();
      await this.#mailbox.save();
    } finally {
      await this.#claim.release();
    }
  }

  /** However the session ended: nothing is removed. A next one does what cannot be done now. */
  async #updateStatuses(): Promise<void> {
    const retrieved = this.#retrieved;
    if (retrieved === undefined || !hasStatusesToUpdate(this.#mailbox, retrieved.size)) return;
    const { path, surroundings } = this.#mailbox.place;
    try {
      await this.#placed();
      const listed = this.#uidsOf(Array(this.count).keys());
      await this.#telling(updateStatuses(this.#mailbox, { listed, retrieved: this.#uidsOf(retrieved) }));
    } catch (error) {
      surroundings.log.warn('`Status:` was not written', { path, error });
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

  #uidsOf(indexes: Iterable<number>): Set<string> {
    return new Set(Array.from(indexes, (index) => this.uidOf(index)));
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
      if (this.#isCopy) break;
      await this.#lookAgain();
    }
    throw messageChanged(`${this.#mailbox.place.path}: message ${index + 1} is not there any more`);
  }

  async #isStill(index: number, { reader, extent }: FoundMessage): Promise<boolean> {
    if (this.#isCopy) return false;
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
    const isSameFile = this.#mailbox.header.stamp.ino === ino && this.#reader?.isStale !== true;
    if (isSameFile) this.#reader?.renew(this.#mailbox.header);
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

interface Beginning {
  readonly onFailure: (error: unknown) => void;
  readonly reader: MessageReader | undefined;
  readonly isCopy: boolean;
}

/** A full disk is no reason to go without mail: it is served from where it lies. */
async function copyOf(mailbox: Mailbox): Promise<MessageReader | undefined> {
  try {
    return await mailbox.copy();
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { path, surroundings } = mailbox.place;
    surroundings.log.warn('no copy of the mailbox could be made; it is served itself', { path, error });
    return undefined;
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
