import { AfterImage, readExactly } from './after-image.ts';
import type { Durability } from './durability.ts';
import { digestOf } from './fields.ts';
import type { OpenFile } from './files.ts';
import type { JournalRecord } from './format.ts';
import type { Journal } from './journal.ts';
import { type Room, takeRoom } from './room.ts';

/** How far a move has come. */
export interface Progress {
  readonly after: AfterImage;
  /** Of the next record. */
  index: number;
  /** Octets of the after-image that are durable in the mailbox. */
  doneOctets: number;
  /** Size of the mailbox, as far as the after-image covers it. */
  mailboxOctets: number;
}

/** Moves kept mail down over deleted mail, chunk by chunk, each recorded in the journal before it is written. */
export class Move {
  readonly #file: OpenFile;
  readonly #journal: Journal;
  readonly #durability: Durability;
  readonly #progress: Progress;
  /** Of the journal's header, and of a slot: the description's block, then the image. */
  readonly #room: Room;
  #tail: { octets: number; digest: Uint8Array } | undefined;

  constructor(file: OpenFile, journal: Journal, durability: Durability, progress: Progress) {
    this.#file = file;
    this.#journal = journal;
    this.#durability = durability;
    this.#progress = progress;
    const { blockOctets, chunkOctets } = journal.header;
    this.#room = takeRoom(journal.headerOctets + blockOctets + chunkOctets);
    // What another commit left there would be written out where a slot is only filled.
    this.#slot.fill(0, 0, blockOctets);
  }

  /**
   * Writes the header and the first record, which decides the commit as soon as it is durable; that is the caller's to see
   * to.
   */
  async decide(): Promise<void> {
    await this.#readChunk();
    await this.#fillSecondSlot();
    await this.#journal.writeFirst(await this.#record(), this.#room.octets);
  }

  /** Goes on behind `decide`, and is the last to be called; answers the mailbox's size before and after the cut. */
  async finish(): Promise<{ readonly formerOctets: number; readonly mailboxOctets: number }> {
    await this.#apply();
    return await this.finishFrom();
  }

  /** Goes on where no record is written yet for the next chunk, and is the last to be called. */
  async finishFrom(): Promise<{ readonly formerOctets: number; readonly mailboxOctets: number }> {
    try {
      return await this.#moveAll();
    } finally {
      this.#room.giveBack();
    }
  }

  async #moveAll(): Promise<{ readonly formerOctets: number; readonly mailboxOctets: number }> {
    do {
      while (this.#progress.doneOctets < this.#progress.after.octets) {
        await this.#readChunk();
        await this.#journal.writeRecord(await this.#record(), this.#slot);
        await this.#journal.sync(this.#durability, 'commit: a later record');
        await this.#apply();
      }
    } while (await this.#takeLateMail());
    const mailboxOctets = this.#finalOctets;
    await this.#file.truncate(mailboxOctets);
    await this.#durability.everything(this.#file, 'commit: the cut, before the journal goes');
    return { formerOctets: this.#progress.mailboxOctets, mailboxOctets };
  }

  get #slot(): Buffer {
    return this.#room.octets.subarray(this.#journal.headerOctets);
  }

  get #finalOctets(): number {
    return this.#journal.header.changeStart + this.#progress.after.octets;
  }

  get #chunkOctets(): number {
    return this.#chunkOctetsAt(this.#progress.doneOctets);
  }

  get #image(): Uint8Array {
    const { blockOctets } = this.#journal.header;
    return this.#slot.subarray(blockOctets, blockOctets + this.#chunkOctets);
  }

  async #readChunk(): Promise<void> {
    await this.#progress.after.read(this.#file, this.#progress.doneOctets, this.#image);
  }

  async #record(): Promise<JournalRecord> {
    const { index, doneOctets, mailboxOctets } = this.#progress;
    return {
      index,
      doneOctets,
      octets: this.#chunkOctets,
      hasImage: this.#overlaps(doneOctets),
      mailboxOctets,
      finalOctets: this.#finalOctets,
      tailDigest: await this.#tailDigest(),
    };
  }

  async #apply(): Promise<void> {
    const { changeStart } = this.#journal.header;
    await this.#file.write(this.#image, changeStart + this.#progress.doneOctets);
    await this.#durability.content(this.#file, 'commit: a chunk, before the next record replaces its own');
    this.#progress.doneOctets += this.#chunkOctets;
    this.#progress.index += 1;
  }

  /** An agent that ignores our locks appended: its mail is kept, too. */
  async #takeLateMail(): Promise<boolean> {
    const { octets } = await this.#file.stat();
    const { after, mailboxOctets } = this.#progress;
    if (octets < mailboxOctets) throw new Error('the mailbox became shorter while it was locked');
    after.extend(mailboxOctets, octets);
    this.#progress.mailboxOctets = octets;
    return octets > mailboxOctets;
  }

  /** Only the first two records can meet an unwritten slot, and only the second comes after the commit point. */
  async #fillSecondSlot(): Promise<void> {
    const { after } = this.#progress;
    const { blockOctets, chunkOctets, borrowed } = this.#journal.header;
    if (borrowed || after.octets <= chunkOctets) return;
    const image = this.#overlaps(chunkOctets) ? this.#chunkOctetsAt(chunkOctets) : 0;
    await this.#journal.fillSlot(1, this.#slot.subarray(0, blockOctets + image));
  }

  /** Whether the chunk's sources are overwritten by the chunk itself, so that it cannot be redone from them. */
  #overlaps(position: number): boolean {
    const end = this.#journal.header.changeStart + position + this.#chunkOctetsAt(position);
    return this.#progress.after.sourceOf(position) < end;
  }

  #chunkOctetsAt(position: number): number {
    return Math.min(this.#journal.header.chunkOctets, this.#progress.after.octets - position);
  }

  async #tailDigest(): Promise<Uint8Array> {
    const { mailboxOctets } = this.#progress;
    if (this.#tail?.octets !== mailboxOctets) {
      const digest = await tailDigest(this.#file, this.#finalOctets, mailboxOctets);
      this.#tail = { octets: mailboxOctets, digest };
    }
    return this.#tail.digest;
  }
}

/**
 * Digest of what the cut will take away: its length, its first and its last 32 KiB. No step writes there, so it
 * tells whether the cut has happened, even if mail came since.
 */
export async function tailDigest(file: OpenFile, start: number, end: number): Promise<Uint8Array> {
  const edgeOctets = Math.min(maxEdgeOctets, end - start);
  const room = takeRoom(8 + 2 * edgeOctets);
  try {
    room.octets.writeDoubleLE(end - start);
    await readExactly(file, room.octets.subarray(8, 8 + edgeOctets), start);
    await readExactly(file, room.octets.subarray(8 + edgeOctets), end - edgeOctets);
    return digestOf(room.octets);
  } finally {
    room.giveBack();
  }
}

const maxEdgeOctets = 32 * 1024;
