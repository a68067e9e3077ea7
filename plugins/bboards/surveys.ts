import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { lockFile } from 'popperd';

import { openFile, removedFrom, versionOf } from './board-file.ts';
import type { Columns } from './columns.ts';
import { scanBoard } from './scan-board.ts';

/** What is known of a board's mbox. */
export interface Survey {
  /** The file as it was when it was looked through. */
  readonly stats: BigIntStats;
  readonly columns: Columns;
}

export interface SurveysOptions {
  /** Messages of all boards together that are kept in mind; 40 octets each. The boards asked for longest ago go first. */
  readonly maxMessages?: number;
  /** How long a program that writes to a board is waited for. */
  readonly lockTimeoutMs?: number;
}

/** Somebody is writing to the board. */
export class BoardLocked extends Error {
  constructor(path: string) {
    super(`${path} is locked by another program`);
  }
}

/** Looks boards through, each once for each of its versions, however many sessions ask for it. */
export class Surveys {
  readonly #maxMessages: number;
  readonly #lockTimeoutMs: number;
  readonly #known = new Map<string, { readonly version: string; readonly survey: Survey }>();
  /** Of all boards, also those that had to make room. */
  readonly #maxima = new Map<string, { readonly version: string; readonly maxima: number }>();
  readonly #underWay = new Map<string, Promise<Survey>>();
  readonly #stopping = new AbortController();

  constructor({ maxMessages = 500_000, lockTimeoutMs = 2000 }: SurveysOptions = {}) {
    this.#maxMessages = maxMessages;
    this.#lockTimeoutMs = lockTimeoutMs;
  }

  /** Of the file that was seen with these stats, or of what has become of it since. Throws system errors and BoardLocked. */
  async of(path: string, stats: BigIntStats): Promise<Survey> {
    const removed = await removedFrom(path);
    const version = `${versionOf(stats)} ${removed}`;
    const before = this.#underWay.get(path);
    if (before !== undefined) await before.catch(() => {});
    const known = this.#known.get(path);
    if (known?.version === version) {
      this.#keep(path, known);
      return known.survey;
    }
    // One that has begun since then has seen what these stats have.
    return this.#underWay.get(path) ?? this.#begin(path, removed);
  }

  /** The same, of which only the highest number is wanted. */
  async maximaOf(path: string, stats: BigIntStats): Promise<number> {
    const version = `${versionOf(stats)} ${await removedFrom(path)}`;
    const known = this.#maxima.get(path);
    if (known?.version === version) return known.maxima;
    return (await this.of(path, stats)).columns.maxima;
  }

  /** Nobody waits for what is under way. */
  stop(): void {
    this.#stopping.abort();
  }

  #begin(path: string, removed: number): Promise<Survey> {
    const survey = this.#make(path, removed).finally(() => this.#underWay.delete(path));
    this.#underWay.set(path, survey);
    return survey;
  }

  async #make(path: string, removed: number): Promise<Survey> {
    const { signal } = this.#stopping;
    const handle = await openFile(path);
    try {
      await this.#lock(handle, path);
      const stats = await handle.stat({ bigint: true });
      const read = async (buffer: Uint8Array, position: number): Promise<number> =>
        (await handle.read(buffer, 0, buffer.length, position)).bytesRead;
      const columns = await scanBoard(read, { octets: Number(stats.size), removed, signal });
      const survey = { stats, columns };
      const version = `${versionOf(stats)} ${removed}`;
      this.#keep(path, { version, survey });
      this.#maxima.set(path, { version, maxima: columns.maxima });
      return survey;
    } finally {
      await handle.close();
    }
  }

  /** Against a message that is half delivered. Shared, so that sessions do not exclude each other. */
  async #lock({ fd }: FileHandle, path: string): Promise<void> {
    const untilMs = performance.now() + this.#lockTimeoutMs;
    while (!isLockable(fd)) {
      if (performance.now() >= untilMs) throw new BoardLocked(path);
      await delay(retryMs, undefined, { signal: this.#stopping.signal });
    }
  }

  #keep(path: string, entry: { readonly version: string; readonly survey: Survey }): void {
    this.#known.delete(path);
    this.#known.set(path, entry);
    let messages = 0;
    for (const [other, { survey }] of [...this.#known].toReversed()) {
      messages += survey.columns.count;
      if (messages > this.#maxMessages && other !== path) this.#known.delete(other);
    }
  }
}

const retryMs = 20;

/** A file system without locks has no program that waits for one. */
function isLockable(descriptor: number): boolean {
  try {
    return lockFile(descriptor, 'shared');
  } catch {
    return true;
  }
}
