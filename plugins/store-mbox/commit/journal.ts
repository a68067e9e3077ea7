// Over 250 lines: all that is known of the file that a journal is, and of nothing else.
import { hash } from 'node:crypto';
import { join } from 'node:path';

import type { Durability } from './durability.ts';
import { digestOf } from './fields.ts';
import type { Files, FileStat, OpenFile } from './files.ts';
import {
  decodeHeader,
  decodeHeaderStart,
  decodeRecord,
  encodeBody,
  encodeHeader,
  encodeHeaderBlock,
  encodeRecord,
  type Header,
  type HeaderStart,
  type JournalRecord,
  roundUp,
  smallestBlockOctets,
} from './format.ts';
import type { CommitSettings } from './settings.ts';

/** Where the journal of a mailbox lies; see `isPending`. */
export function journalPathOf(folder: string, mailboxPath: string): string {
  return join(folder, `${hash('sha256', mailboxPath, 'hex').slice(0, 32)}.j`);
}

/**
 * Whether recovery may have something to do. A journal that is done is cut down to its first block and stays, for a new
 * file with a durable name costs more than all else in a small commit; one that short has no record.
 */
export const isPending = (journal: FileStat | undefined, { blockOctets }: BlockSettings): boolean =>
  journal !== undefined && (journal.kind !== 'file' || journal.octets > (blockOctets ?? defaultBlockOctets));

type BlockSettings = Pick<CommitSettings, 'blockOctets'>;
export const defaultBlockOctets = 4096;

/** A record with what it has to write, if its slot holds that. */
export interface ReadRecord extends JournalRecord {
  readonly image: Uint8Array | undefined;
}

interface Opened {
  readonly header: Header;
  readonly settings: CommitSettings;
  readonly isNamed?: boolean;
}

/** The open journal of one commit. */
export class Journal {
  readonly path: string;
  readonly header: Header;
  /** The journal's name is durable already. */
  readonly isNamed: boolean;
  readonly #file: OpenFile;
  readonly #settings: CommitSettings;
  readonly #body: Buffer;

  constructor(path: string, file: OpenFile, opened: Opened) {
    this.path = path;
    this.isNamed = opened.isNamed ?? false;
    this.#file = file;
    this.header = opened.header;
    this.#settings = opened.settings;
    this.#body = encodeBody(opened.header);
  }

  /** Octets of the header, which lies before the first slot. */
  get headerOctets(): number {
    return headerOctets(this.#body, this.header.blockOctets);
  }

  /**
   * Takes the disk space of a slot by writing anything there, so that a disk that fills up later cannot stop a
   * commit that is half done.
   */
  async fillSlot(index: number, filling: Uint8Array): Promise<void> {
    await this.#file.write(filling, this.#slotPosition(index));
  }

  /**
   * The header and the first record, in one write, since a record alone is of no use. `room` has room for the header,
   * then is a slot.
   */
  async writeFirst(record: JournalRecord, room: Uint8Array): Promise<void> {
    room.set(encodeHeader(this.header, this.#body));
    const end = this.headerOctets + this.#describe(record, room.subarray(this.headerOctets));
    await this.#file.write(room.subarray(0, end), 0);
  }

  /** `slot` has a block of room for the description, then the image. */
  async writeRecord(record: JournalRecord, slot: Uint8Array): Promise<void> {
    const octets = this.#describe(record, slot);
    await this.#file.write(slot.subarray(0, octets), this.#slotPosition(record.index));
  }

  /** The last step that was decided; undefined if none was, so that the mailbox is untouched. */
  async newestRecord(): Promise<ReadRecord | undefined> {
    const first = await this.#readRecord(0);
    const second = await this.#readRecord(1);
    if (first === undefined || second === undefined) return first ?? second;
    return first.index > second.index ? first : second;
  }

  /**
   * Writes again what was read. After a failed fsync the cache may hold what the disk does not, marked as clean, and
   * a second fsync would say that all is well.
   */
  async writeAgain(record: ReadRecord): Promise<void> {
    const { blockOctets } = this.header;
    const slot = new Uint8Array(blockOctets + record.octets);
    if (record.image !== undefined) slot.set(record.image, blockOctets);
    await this.#file.write(encodeHeader(this.header, this.#body), 0);
    await this.writeRecord(record, slot);
  }

  async sync(durability: Durability, point: Parameters<Durability['content']>[1]): Promise<void> {
    await durability.content(this.#file, point);
  }

  /** All is durable in the mailbox: the journal says so and rests. One that comes back all the same does no harm. */
  async finish(durability: Durability): Promise<void> {
    try {
      await this.#writeDone();
      await durability.beyondNeed(this.#file, 'always: the journal is done');
      if (!this.header.borrowed) return await this.#file.truncate(this.header.blockOctets);
    } catch (error) {
      await this.remove();
      throw error;
    }
    await this.remove();
  }

  /**
   * Makes sure that nothing of this commit will happen, although its first record may have reached the disk. Answers
   * false if the disk does not let it be sure.
   */
  async abandon(durability: Durability): Promise<boolean> {
    const voided = await succeeds(async () => {
      await this.#writeDone();
      await durability.content(this.#file, 'abandon: the journal says that nothing will happen');
    });
    const removed = await succeeds(() => this.remove());
    await succeeds(() => this.close());
    if (voided) return true;
    return removed && (await succeeds(() => durability.name('abandon: the name of the journal is gone')));
  }

  /** Takes the journal away; its place in the reserve, if it has one, is filled again. */
  async remove(): Promise<void> {
    const { files, reserve } = this.#settings;
    if (this.header.borrowed && reserve !== undefined) await reserve.giveBack(this.path);
    else await files.unlink(this.path);
  }

  /** Puts a journal aside that belongs to another file than the mailbox is now; answers its new path. */
  async keep(): Promise<string> {
    const name = Buffer.from(this.header.transaction).toString('hex').slice(0, 8);
    const path = `${this.path.slice(0, -'.j'.length)}.${name}.conflict`;
    await this.#settings.files.rename(this.path, path);
    return path;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Puts the description before the image; answers how much of the slot is to be written. */
  #describe(record: JournalRecord, slot: Uint8Array): number {
    const { blockOctets } = this.header;
    const image = slot.subarray(blockOctets, blockOctets + record.octets);
    slot.set(encodeRecord(record, this.header, image));
    return record.hasImage ? blockOctets + record.octets : blockOctets;
  }

  async #writeDone(): Promise<void> {
    await this.#file.write(encodeHeaderBlock({ ...this.header, done: true }, this.#body), 0);
  }

  async #readRecord(slot: number): Promise<ReadRecord | undefined> {
    const { blockOctets, chunkOctets } = this.header;
    const position = this.#slotPosition(slot);
    const description = new Uint8Array(blockOctets);
    await this.#file.read(description, position);
    const record = decodeRecord(description, this.header);
    if (record === undefined || record.index % 2 !== slot || record.octets > chunkOctets) return undefined;
    if (!record.hasImage) return { ...record, image: undefined };
    const image = Buffer.alloc(record.octets);
    await this.#file.read(image, position + blockOctets);
    return digestOf(image).equals(record.imageDigest) ? { ...record, image } : undefined;
  }

  #slotPosition(index: number): number {
    const { blockOctets, chunkOctets } = this.header;
    return this.headerOctets + (index % 2) * (blockOctets + chunkOctets);
  }
}

/** Octets of a header with this body. */
export function headerOctets(body: Uint8Array, blockOctets: number): number {
  return blockOctets + roundUp(body.length, blockOctets);
}

/** The header that lies at the start of a file; undefined if it is torn, or none. */
export async function readHeader(file: OpenFile): Promise<Header | undefined> {
  const start = await readHeaderStart(file);
  if (start === undefined) return undefined;
  const body = new Uint8Array(start.bodyOctets);
  await file.read(body, start.blockOctets);
  return decodeHeader(start, body);
}

/** The journal that waits for recovery, or undefined if none does. Throws if the name leads to anything but a file. */
export async function openPending(path: string, settings: CommitSettings): Promise<OpenFile | undefined> {
  const { files } = settings;
  return isPending(await files.lstat(path), settings) ? openExisting(files, path) : undefined;
}

/** One that is done, to be used again; undefined if there is none. What is not even that is taken away. */
export async function openDone(path: string, settings: CommitSettings): Promise<OpenFile | undefined> {
  const { files } = settings;
  const stat = await files.lstat(path);
  if (stat === undefined || isPending(stat, settings)) return undefined;
  const file = await openExisting(files, path);
  try {
    if ((await readHeaderStart(file))?.done === true) return file;
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  await files.unlink(path);
  return undefined;
}

async function openExisting(files: Files, path: string): Promise<OpenFile> {
  const file = await files.open(path, 'read-write');
  const { kind, nlink } = await file.stat();
  if (kind === 'file' && nlink === 1) return file;
  await file.close();
  throw new Error(`${path}: expected a file with one name; remove what lies there`);
}

async function readHeaderStart(file: OpenFile): Promise<HeaderStart | undefined> {
  const block = new Uint8Array(smallestBlockOctets);
  await file.read(block, 0);
  return decodeHeaderStart(block);
}

async function succeeds(step: () => Promise<unknown>): Promise<boolean> {
  try {
    await step();
    return true;
  } catch {
    return false;
  }
}
