import { createHash } from 'node:crypto';
import { dirname } from 'node:path';

import { errorCode, type Files, type FileStat, type OpenFile } from './commit/index.ts';
import type { Place } from './place.ts';

/**
 * The mailbox has messages of the drop, and it is not written down that it has: who deletes them now would get them once more.
 */
export class HalfTaken extends Error {
  constructor(cause: unknown) {
    super('mail was added, and that cannot be noted: nobody may delete it now', { cause });
  }
}

/** A message of a temporary drop, and whether the mailbox has it now. */
interface NotedMessage {
  readonly digest: Uint8Array;
  readonly isThere: boolean;
}

/**
 * Says which messages of a temporary drop have come into its mailbox, so that none of them is added again when it was deleted
 * there before the drop could be emptied. It is written before the first one is added, and from then on only over itself: a full
 * disk has room for that. It holds for the very drop that it was made of. Who writes to that takes more from it than
 * is known, so nothing of it is believed any more.
 *
 * A line with the drop's facts, the octets of it that are whole, and a digest of its messages; then an octet for each message.
 */
export class TakenNote {
  readonly #path: string;
  readonly #files: Files;
  readonly #syncs: boolean;
  readonly #drop: string;
  readonly #dropOctets: number;
  #file: OpenFile | undefined;
  #head = '';
  #marks: Buffer = Buffer.of();
  /** The file is there, and of these messages. */
  #isMade = false;
  #isBehind = false;

  private constructor({ takenPath, commit, surroundings }: Place, { ino, octets, mtimeNs }: FileStat) {
    this.#path = takenPath;
    this.#files = surroundings.files;
    this.#syncs = commit.fsync !== 'never';
    this.#drop = `popper took over ${ino} ${octets} ${mtimeNs}`;
    this.#dropOctets = octets;
  }

  /** Reads what was noted of this drop. Throws system errors. */
  static async open(place: Place, drop: FileStat): Promise<TakenNote> {
    const note = new TakenNote(place, drop);
    await note.#read();
    return note;
  }

  /** Where the last whole message of the drop ended when the note was made; undefined without one. */
  get wholeOctets(): number | undefined {
    return this.#head === '' ? undefined : Number(this.#head.split(' ')[6]);
  }

  /** Which messages there are, and which of them the mailbox has; of just these it holds what was noted. Writes nothing. */
  compare(wholeOctets: number, messages: readonly NotedMessage[]): void {
    const hash = createHash('sha256');
    for (const { digest } of messages) hash.update(digest);
    const head = `${this.#drop} ${wholeOctets} ${hash.digest('hex')}\n`;
    if (this.#head !== head || this.#marks.length !== messages.length) {
      this.#head = head;
      this.#marks = Buffer.alloc(messages.length, wanting);
      this.#isMade = false;
    }
    for (const [index, { isThere }] of messages.entries()) {
      if (!isThere || this.has(index)) continue;
      this.#marks[index] = taken;
      this.#isBehind = true;
    }
  }

  /** Whether the mailbox has messages of the drop, and it is not written down that it has. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Writes down what was compared. Throws HalfTaken, or a system error if it was not behind. */
  async begin(): Promise<void> {
    try {
      await (this.#isMade ? this.#write() : this.#make());
      this.#isMade = true;
      this.#isBehind = false;
    } catch (error) {
      throw this.#isBehind ? new HalfTaken(error) : error;
    }
  }

  has(index: number): boolean {
    return this.#marks[index] === taken;
  }

  /** These are in the mailbox for good. Throws HalfTaken. */
  async add(indexes: readonly number[]): Promise<void> {
    for (const index of indexes) this.#marks[index] = taken;
    try {
      await this.#write();
    } catch (error) {
      throw new HalfTaken(error);
    }
  }

  /** The drop is empty. What cannot be taken away is of no drop any more. */
  async remove(): Promise<void> {
    await removeIfThere(this.#files, this.#path).catch(ignoreSystemError);
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  async #read(): Promise<void> {
    const file = await openIfThere(this.#files, this.#path);
    if (file === undefined) return;
    this.#file = file;
    const octets = Buffer.alloc((await file.stat()).octets);
    await file.read(octets, 0);
    const headOctets = octets.indexOf('\n') + 1;
    const head = octets.toString('latin1', 0, headOctets);
    if (!head.startsWith(`${this.#drop} `) || !this.#isPlausible(head)) return;
    this.#head = head;
    this.#marks = octets.subarray(headOctets);
    this.#isMade = true;
  }

  #isPlausible(head: string): boolean {
    const [, wholeOctets] = / (\d{1,15}) [0-9a-f]{64}\n$/.exec(head) ?? [];
    return wholeOctets !== undefined && Number(wholeOctets) <= this.#dropOctets;
  }

  async #make(): Promise<void> {
    await this.close();
    this.#file = undefined;
    await removeIfThere(this.#files, this.#path);
    this.#file = await this.#files.open(this.#path, 'create');
    try {
      await this.#write();
    } catch (error) {
      await this.remove();
      throw error;
    }
    if (this.#syncs) await this.#files.syncFolder(dirname(this.#path), 'take over: the name of the note');
  }

  async #write(): Promise<void> {
    await this.#file?.write(Buffer.concat([Buffer.from(this.#head), this.#marks]), 0);
    if (this.#syncs) await this.#file?.dataSync('take over: the note, before anybody sees what it is of');
  }
}

/** Readable, for an operator who wants to know. */
const [wanting, taken] = [0x2d, 0x2b];

async function openIfThere(files: Files, path: string): Promise<OpenFile | undefined> {
  try {
    return await files.open(path, 'read-write');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function removeIfThere(files: Files, path: string): Promise<void> {
  try {
    await files.unlink(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

function ignoreSystemError(error: unknown): void {
  if (errorCode(error) === undefined) throw error;
}
