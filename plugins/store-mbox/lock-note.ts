import { createHash, randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';

import { lockFile } from 'popperd';

import { errorCode, type Files, type OpenFile } from './commit/index.ts';
import { clearLeftBehind } from './dotlock.ts';

/**
 * Says in the daemon's own folder that a dotlock is about to be made. Nobody else may take one away before it is old, so
 * a daemon that died with it does that at its next start: until then no mail would come.
 */
export interface LockNote {
  write(): Promise<void>;
  /** The dotlock is gone. Costs nothing: what is noted may stay, for a lock that is there is looked at closely. */
  remove(): void;
}

/**
 * Notes lie in one file for each process and folder, which has a slot for each mailbox that is locked. A slot
 * goes on naming its mailbox until another needs it, so that a user who comes again costs no write. A note that cannot
 * be written is done without: it is of use only after a crash. After a power cut notes may be missing.
 */
export function lockNote(files: Files, folder: string, mailboxPath: string): LockNote {
  const notes = notesIn(files, folder);
  return {
    write: () => unlessRefused(notes.write(mailboxPath)),
    remove: () => notes.remove(mailboxPath),
  };
}

export const noteEnding = '.locking';

/** Takes away the dotlocks that dead processes left. Throws the first system error, after all others were looked at. */
export async function clearLeftLocks(files: Files, folder: string): Promise<void> {
  const errors: unknown[] = [];
  for (const name of await files.readFolder(folder)) {
    if (!name.endsWith(noteEnding)) continue;
    await clearNotes(files, join(folder, name)).catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0) throw errors[0];
}

/** Mailboxes that a process remembers before it uses their slots again: as many are looked at after its death. */
const keptSlots = 64;
/** A digest, a space, and the longest path with its end; slots begin with a block of the disk. */
const maxNoteOctets = 64 + 1 + 4096;
const slotOctets = 8192;
const idleMs = 60_000;

/** The notes of this process in one folder. */
class Notes {
  readonly #files: Files;
  readonly #folder: string;
  readonly #indexes = new Map<string, number>();
  /** Mailboxes whose locks are gone, the longest first. */
  readonly #done = new Set<string>();
  /** Slots that could not be written. */
  readonly #spare: number[] = [];
  #slotCount = 0;
  #file: Promise<NotesFile> | undefined;
  #closing: NodeJS.Timeout | undefined;

  constructor(files: Files, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  async write(mailboxPath: string): Promise<void> {
    clearTimeout(this.#closing);
    this.#done.delete(mailboxPath);
    if (this.#indexes.has(mailboxPath)) return;
    const index = this.#takeSlot();
    try {
      const { file } = await this.#open();
      await file.write(encode(mailboxPath), index * slotOctets);
      this.#indexes.set(mailboxPath, index);
    } catch (error) {
      this.#spare.push(index);
      throw error;
    }
  }

  remove(mailboxPath: string): void {
    if (!this.#indexes.has(mailboxPath)) return;
    this.#done.add(mailboxPath);
    if (this.#done.size === this.#indexes.size) this.#closeLater();
  }

  /** A process that has had no dotlock for a while keeps no file open for the next one. */
  #closeLater(): void {
    clearTimeout(this.#closing);
    this.#closing = setTimeout(() => void unlessRefused(this.#close()), idleMs);
    this.#closing.unref();
  }

  async #close(): Promise<void> {
    const opened = this.#file;
    this.#file = undefined;
    this.#indexes.clear();
    this.#done.clear();
    this.#spare.length = 0;
    this.#slotCount = 0;
    await (await opened)?.remove();
  }

  #takeSlot(): number {
    const spare = this.#spare.pop() ?? (this.#slotCount < keptSlots ? undefined : this.#takeOldest());
    if (spare !== undefined) return spare;
    this.#slotCount += 1;
    return this.#slotCount - 1;
  }

  #takeOldest(): number | undefined {
    const [oldest] = this.#done;
    if (oldest === undefined) return undefined;
    const index = this.#indexes.get(oldest);
    this.#done.delete(oldest);
    this.#indexes.delete(oldest);
    return index;
  }

  #open(): Promise<NotesFile> {
    this.#file ??= createFile(this.#files, this.#folder).catch((error: unknown) => {
      this.#file = undefined;
      throw error;
    });
    return this.#file;
  }
}

const notesOf = new WeakMap<Files, Map<string, Notes>>();

function notesIn(files: Files, folder: string): Notes {
  const folders = notesOf.get(files) ?? new Map<string, Notes>();
  notesOf.set(files, folders);
  const notes = folders.get(folder) ?? new Notes(files, folder);
  folders.set(folder, notes);
  return notes;
}

/** The kernel's lock on it says that this process lives. */
interface NotesFile {
  readonly file: OpenFile;
  remove(): Promise<void>;
}

async function createFile(files: Files, folder: string): Promise<NotesFile> {
  for (;;) {
    const path = join(folder, `${randomBytes(16).toString('hex')}${noteEnding}`);
    const file = await files.open(path, 'create');
    const remove = async (): Promise<void> => {
      await file.close();
      await files.unlink(path);
    };
    try {
      // A process that starts just now may have taken it for a dead one's.
      if (lockFile(file.descriptor, 'exclusive') && (await file.stat()).nlink === 1) return { file, remove };
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
  }
}

async function unlessRefused(step: Promise<void>): Promise<void> {
  try {
    await step;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}

async function clearNotes(files: Files, path: string): Promise<void> {
  const file = await files.open(path, 'read-write');
  try {
    // Another process that lives, or this one.
    if (!lockFile(file.descriptor, 'exclusive')) return;
    for (const mailboxPath of await readSlots(file)) await clearLeftBehind(files, mailboxPath);
    await files.unlink(path);
  } finally {
    await file.close();
  }
}

async function readSlots(file: OpenFile): Promise<readonly string[]> {
  const { octets } = await file.stat();
  const mailboxPaths: string[] = [];
  const slot = Buffer.alloc(maxNoteOctets);
  for (let position = 0; position < octets; position += slotOctets) {
    const mailboxPath = decode(slot.subarray(0, await file.read(slot, position)));
    if (mailboxPath !== undefined) mailboxPaths.push(mailboxPath);
  }
  return mailboxPaths;
}

const digestOf = (mailboxPath: string): string => createHash('sha256').update(mailboxPath).digest('hex');

const encode = (mailboxPath: string): Buffer => Buffer.from(`${digestOf(mailboxPath)} ${mailboxPath}\0`);

/** undefined for a note that was torn, or that names no mailbox. */
function decode(octets: Buffer): string | undefined {
  const end = octets.indexOf(0);
  const [digest, mailboxPath] = [
    octets.toString('utf8', 0, 64),
    octets.toString('utf8', 65, Math.max(65, end)),
  ];
  return digest === digestOf(mailboxPath) && resolve(mailboxPath) === mailboxPath ? mailboxPath : undefined;
}
