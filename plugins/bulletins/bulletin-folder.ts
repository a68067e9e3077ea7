import { type BigIntStats, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { WarmNames } from 'popperd';

import { type BulletinName, compareBulletins, parseBulletinName } from './bulletin-name.ts';

/** What lies in the folder. */
export interface Listing {
  /** In the order in which they are delivered. */
  readonly bulletins: readonly BulletinName[];
  /** The highest number, 0 where there is no bulletin. */
  readonly highest: number;
  /** Names that begin with a digit and are no bulletins, because their number is too high. */
  readonly strange: readonly string[];
}

/**
 * A folder changed so lately may change once more without its time moving on: what was read then is read again. Clocks of file
 * systems tick every few milliseconds, and every other second at worst.
 */
const settledMs = 2500;

/** The folder of the bulletins. A login on one that has not changed costs a look at its times. */
export class BulletinFolder {
  readonly path: string;
  readonly #warm = new WarmNames();
  #known: { readonly version: string; readonly listing: Listing } | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Throws system errors. */
  async list(): Promise<Listing> {
    const stats = await this.#stat();
    const version = versionOf(stats);
    if (this.#known?.version === version) return this.#known.listing;
    const isSettled = Date.now() - Number(stats.mtimeMs) > settledMs;
    const listing = await this.#read();
    this.#known = isSettled ? { version, listing } : undefined;
    return listing;
  }

  /** Where a bulletin lies. A name need not be UTF-8. */
  pathOf(name: string): Buffer {
    return Buffer.concat([Buffer.from(join(this.path, '/')), Buffer.from(name, 'latin1')]);
  }

  async #stat(): Promise<BigIntStats> {
    if (this.#warm.has(this.path)) return statSync(this.path, { bigint: true });
    const stats = await stat(this.path, { bigint: true });
    await this.#warm.add(this.path);
    return stats;
  }

  async #read(): Promise<Listing> {
    const entries = await readdir(this.path, { encoding: 'latin1', withFileTypes: true });
    const names = entries
      .filter((entry) => /^\d/.test(entry.name) && (entry.isFile() || entry.isSymbolicLink()))
      .map((entry) => entry.name);
    const parsed = names.map((name) => ({ name, bulletin: parseBulletinName(name) }));
    const bulletins = parsed.flatMap(({ bulletin }) => bulletin ?? []).toSorted(compareBulletins);
    return {
      bulletins,
      highest: bulletins.at(-1)?.number ?? 0,
      strange: parsed.flatMap(({ name, bulletin }) => (bulletin === undefined ? name : [])),
    };
  }
}

const versionOf = ({ dev, ino, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, mtimeNs, ctimeNs].join(' ');
