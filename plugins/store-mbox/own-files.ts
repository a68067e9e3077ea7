import { dirname } from 'node:path';

import { errorCode, type Files, type OpenFile } from './commit/index.ts';

/**
 * The file that a dotlock is a second name of. While it is open the kernel has it locked, and lets go when this process
 * dies: whoever finds it without that lock knows. Pids do not tell: they are given anew, and mean nothing in another container.
 */
export interface OwnFile {
  /** The mailbox that it was made for, and is named for. */
  readonly mailboxPath: string;
  readonly path: string;
  readonly file: OpenFile;
  readonly content: Buffer;
}

/** Told of names that stay in the spool folder, so that they go at the next start if this process dies. */
interface KeptNames {
  /** Comes while the mailbox's dotlock is held. */
  added(mailboxPath: string): Promise<void>;
  removed(mailboxPath: string): Promise<void>;
}

/** What is kept, and when. */
export interface Keeping {
  readonly maxCount: number;
  /** From so many locks a second on. Nobody shall find files in a quiet spool. */
  readonly locksPerSecond: number;
}

/**
 * Keeps the files of locks that are gone, for the next locks in the same folders: to make one and to remove it costs the
 * file system more than all else about a lock. A file keeps the name that it was linked from, and serves one lock at a time.
 */
export class OwnFiles {
  readonly #files: Files;
  readonly #names: KeptNames;
  readonly #keeping: Keeping;
  /** When the last locks were made. */
  readonly #linkedAtMs: number[] = [];
  /** Those whose names stay. */
  readonly #kept = new Set<OwnFile>();
  /** Those of them that no lock needs, the longest first. */
  readonly #idle = new Set<OwnFile>();
  #closing: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** By default none is kept. */
  constructor(files: Files, names: KeptNames = noNames, keeping: Keeping = nothing) {
    this.#files = files;
    this.#names = names;
    this.#keeping = keeping;
  }

  /** One that no lock needs, for a mailbox in the same folder. Its time is old. */
  take(mailboxPath: string): OwnFile | undefined {
    const folder = dirname(mailboxPath);
    for (const own of this.#idle) {
      if (dirname(own.path) !== folder) continue;
      this.#idle.delete(own);
      return own;
    }
    return undefined;
  }

  /** It is a lock now: its first name stays if it may, or goes if there are enough. Throws no system errors. */
  async linked(own: OwnFile, mayStay: boolean): Promise<void> {
    const isBusy = this.#isBusy();
    if (this.#kept.has(own)) return;
    if (!isBusy || !mayStay || !(await this.#hasRoom())) return this.removeName(own);
    this.#kept.add(own);
    await this.#names.added(own.mailboxPath);
  }

  /** What stays in the folder for an error is taken away by the next one who needs the name. */
  async removeName(own: OwnFile): Promise<void> {
    const isGone = await unlessRefused(this.#files.unlink(own.path));
    if (this.#kept.delete(own) && isGone) await this.#names.removed(own.mailboxPath);
  }

  /** The lock is gone. */
  async giveBack(own: OwnFile): Promise<void> {
    if (!this.#kept.has(own) || this.#isClosed) return this.discard(own);
    this.#idle.add(own);
    this.#closeLater();
  }

  async discard(own: OwnFile): Promise<void> {
    if (this.#kept.has(own)) await this.removeName(own);
    await own.file.close();
  }

  /** Leaves nothing in the folders once the last lock is gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#discardIdle();
  }

  #isBusy(): boolean {
    const nowMs = performance.now();
    this.#linkedAtMs.push(nowMs);
    if (this.#linkedAtMs.length <= this.#keeping.locksPerSecond) return false;
    const firstAtMs = this.#linkedAtMs.shift() ?? nowMs;
    return nowMs - firstAtMs < 1000;
  }

  async #hasRoom(): Promise<boolean> {
    const { maxCount } = this.#keeping;
    if (this.#isClosed || maxCount === 0) return false;
    if (this.#kept.size < maxCount) return true;
    const [oldest] = this.#idle;
    if (oldest === undefined) return false;
    this.#idle.delete(oldest);
    await unlessRefused(this.discard(oldest));
    return this.#kept.size < maxCount;
  }

  #closeLater(): void {
    if (this.#closing !== undefined) this.#closing.refresh();
    else this.#closing = setTimeout(() => void this.#discardIdle(), idleMs).unref();
  }

  async #discardIdle(): Promise<void> {
    clearTimeout(this.#closing);
    this.#closing = undefined;
    const idle = [...this.#idle];
    this.#idle.clear();
    for (const own of idle) await unlessRefused(this.discard(own));
  }
}

const idleMs = 1000;

const nothing: Keeping = { maxCount: 0, locksPerSecond: 0 };

const noNames: KeptNames = { added: async () => {}, removed: async () => {} };

/** Whether it was done. */
async function unlessRefused(step: Promise<void>): Promise<boolean> {
  try {
    await step;
    return true;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}
