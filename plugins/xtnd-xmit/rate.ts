import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const hourMs = 3_600_000;

/** Takes an exclusive lock on an open file, without waiting; closing it lets it go. */
export interface Locks {
  tryLock(descriptor: number): boolean;
}

/**
 * How many messages one user has sent within an hour: a file with the time of each, so that all processes that serve him count
 * together, and a restart forgets nothing.
 */
export class Rate {
  readonly #file: string;
  readonly #maxPerHour: number;
  readonly #locks: Locks;

  constructor(file: string, maxPerHour: number, locks: Locks) {
    this.#file = file;
    this.#maxPerHour = maxPerHour;
    this.#locks = locks;
  }

  /** Minutes until there is room for one more; undefined where there is. */
  minutesLeft(nowMs: number): Promise<number | undefined> {
    return this.#withFile(async (file) => this.#minutesLeft(await sentWithin(file, nowMs), nowMs));
  }

  /** Counts one, where there is room for it; otherwise the minutes until there is. */
  count(nowMs: number): Promise<number | undefined> {
    return this.#withFile(async (file) => {
      const sent = await sentWithin(file, nowMs);
      const minutes = this.#minutesLeft(sent, nowMs);
      if (minutes === undefined) await write(file, [...sent, nowMs]);
      return minutes;
    });
  }

  #minutesLeft(sentAtMs: readonly number[], nowMs: number): number | undefined {
    const freed = sentAtMs.at(-this.#maxPerHour);
    return freed === undefined ? undefined : Math.max(1, Math.ceil((freed + hourMs - nowMs) / 60_000));
  }

  async #withFile<T>(work: (file: FileHandle) => Promise<T>): Promise<T> {
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    const file = await open(this.#file, 'a+', 0o600);
    try {
      await this.#lock(file);
      return await work(file);
    } finally {
      // Lets go of the lock as well.
      await file.close();
    }
  }

  async #lock({ fd }: FileHandle): Promise<void> {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      if (this.#locks.tryLock(fd)) return;
      await delay(pauseMs);
    }
    throw new Error(`${this.#file} is locked by another process`);
  }
}

/** Whoever has the file has it for two short calls. */
const pauseMs = 10;
const maxAttempts = 200;

/** Whoever waited for the file finds times in it that are later than his own. */
const slackMs = 60_000;

/** Times in order; a clock that was set back does not make a user wait for it. */
async function sentWithin(file: FileHandle, nowMs: number): Promise<readonly number[]> {
  const { size } = await file.stat();
  const { buffer } = await file.read(Buffer.alloc(size), 0, size, 0);
  return buffer
    .toString('latin1')
    .split('\n')
    .map(Number)
    .filter((atMs) => atMs > nowMs - hourMs && atMs <= nowMs + slackMs)
    .toSorted((one, other) => one - other);
}

async function write(file: FileHandle, sentAtMs: readonly number[]): Promise<void> {
  await file.truncate(0);
  await file.write(sentAtMs.map((atMs) => `${atMs}\n`).join(''));
}
