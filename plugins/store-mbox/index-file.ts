import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import { sha256 } from './canonical.ts';
import { errorCode, type Files, type FileStat, type OpenFile } from './commit/index.ts';
import {
  blockCountOf,
  blockDigestOf,
  decodeHeader,
  encodeHeader,
  headerOctets,
  type IndexHeader,
  rowsPerBlockOf,
} from './index-header.ts';
import { rowOctets, Rows } from './rows.ts';

/**
 * An index on disk: a header of 4 KiB, then the rows. It can be lost at any time and is made anew from the mailbox, so
 * it is not synced, and whatever in it is in doubt counts as lost. But which of several equal messages has which uid
 * stands nowhere else: an index of such is durable once it is written, and what it replaces is there until then. Only the
 * holder of the session lock touches it.
 */
export class IndexFile {
  readonly #files: Files;
  readonly #path: string;
  readonly #syncs: boolean;

  /** `syncs`: whether the disk is ever waited for. */
  constructor(files: Files, path: string, syncs: boolean) {
    this.#files = files;
    this.#path = path;
    this.#syncs = syncs;
  }

  /** undefined if there is none. Where it is seldom there, a look costs less than to fail to open it. */
  async stat(): Promise<FileStat | undefined> {
    return unlessRefused(this.#files.lstat(this.#path));
  }

  /** undefined if there is none, or none that can be believed. */
  async readHeader(): Promise<IndexHeader | undefined> {
    return this.#reading(async (file) => {
      const octets = await readHeaderOctets(file);
      return octets && decodeHeader(octets);
    });
  }

  /** The rows to a header read before; undefined if they are not there any more, or damaged. */
  async readRows(header: IndexHeader): Promise<Rows | undefined> {
    return this.#reading(async (file) => {
      const octets = await readHeaderOctets(file);
      if (octets === undefined || !isSameIndex(decodeHeader(octets), header)) return undefined;
      const length = header.count * rowOctets;
      // A header can say anything; memory is taken for what is there.
      if ((await file.stat()).octets < headerOctets + length) return undefined;
      const rows = Buffer.allocUnsafeSlow(length);
      if ((await file.read(rows, headerOctets)) < length) return undefined;
      for (const [block, digest] of (await blockDigests(rows, 0)).entries()) {
        if (digest.compare(blockDigestOf(octets, block)) !== 0) return undefined;
      }
      const found = new Rows(rows);
      return found.fit(header.scannedOctets, header.totalOctets) ? found : undefined;
    });
  }

  /**
   * Makes or replaces the index. Dies the process while it does, the index is lost where that does no harm: a mailbox
   * without equal messages has the same uids after a new scan.
   */
  async write(header: IndexHeader, rows: Rows): Promise<void> {
    const octets = [encodeHeader(header, await blockDigests(rows.octets, 0)), rows.octets] as const;
    if (rows.hasTwins) return this.#replace(octets);
    if ((await this.stat()) !== undefined && (await this.#overwrite(octets))) return;
    if (!(await this.#writeNew(octets))) await this.#replace(octets);
  }

  /**
   * Puts rows from `firstIndex` on behind those that are there. Dies the process in between, the old header still tells
   * the truth about the old rows, or is torn and the index lost. Gives false if what is there is not `former`, or must not
   * be lost.
   */
  async extend(former: IndexHeader, header: IndexHeader, rows: Rows): Promise<boolean> {
    if (rowsPerBlockOf(former.count) !== rowsPerBlockOf(header.count) || rows.hasTwins) return false;
    const firstBlock = Math.floor(former.count / rowsPerBlockOf(header.count));
    const extended = await this.#opened('read-write', async (file) => {
      const octets = await readHeaderOctets(file);
      if (octets === undefined || !isSameIndex(decodeHeader(octets), former)) return false;
      const digests = Array.from({ length: firstBlock }, (_, block) => blockDigestOf(octets, block));
      const rest = await blockDigests(rows.octets, firstBlock);
      const at = former.count * rowOctets;
      if (at < rows.octets.length) await file.write(rows.octets.subarray(at), headerOctets + at);
      await file.write(encodeHeader(header, [...digests, ...rest]), 0);
      return true;
    });
    return extended ?? false;
  }

  async remove(): Promise<void> {
    try {
      await this.#files.unlink(this.#path);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }

  /** What cannot be read counts as not there. */
  async #reading<T>(read: (file: OpenFile) => Promise<T | undefined>): Promise<T | undefined> {
    return unlessRefused(this.#opened('read', read));
  }

  async #opened<T>(
    mode: 'read' | 'read-write',
    work: (file: OpenFile) => Promise<T>,
  ): Promise<T | undefined> {
    const file = await unlessMissing(this.#files.open(this.#path, mode));
    if (file === undefined) return undefined;
    try {
      return await work(file);
    } finally {
      await file.close();
    }
  }

  /** A new file costs more than what is written into it. Answers false if there is none yet. */
  async #overwrite(octets: readonly [Buffer, Buffer]): Promise<boolean> {
    const overwritten = await this.#opened('read-write', async (file) => {
      await writeAll(file, octets);
      const length = headerOctets + octets[1].length;
      if ((await file.stat()).octets > length) await file.truncate(length);
      return true;
    });
    return overwritten ?? false;
  }

  /** Answers false if there is one already. */
  async #writeNew(octets: readonly [Buffer, Buffer]): Promise<boolean> {
    const file = await unlessTaken(this.#files.open(this.#path, 'create'));
    if (file === undefined) return false;
    try {
      await writeAll(file, octets);
      return true;
    } finally {
      await file.close();
    }
  }

  /** There is one all the time, the former one or this; durably this in the end. */
  async #replace(octets: readonly [Buffer, Buffer]): Promise<void> {
    const temporaryPath = `${this.#path}.new`;
    const file = await this.#create(temporaryPath);
    try {
      await writeAll(file, octets);
      if (this.#syncs) await file.dataSync('index: what it says, before it has its name');
    } finally {
      await file.close();
    }
    await this.#files.rename(temporaryPath, this.#path);
    if (this.#syncs) await this.#files.syncFolder(dirname(this.#path), 'index: its name');
  }

  async #create(path: string): Promise<OpenFile> {
    const file = await unlessTaken(this.#files.open(path, 'create'));
    if (file !== undefined) return file;
    // A process that died here left it behind.
    await this.#files.unlink(path);
    return this.#files.open(path, 'create');
  }
}

/** Two writes cost more than a small copy. */
async function writeAll(file: OpenFile, [header, rows]: readonly [Buffer, Buffer]): Promise<void> {
  if (rows.length <= smallOctets) return file.write(Buffer.concat([header, rows]), 0);
  await file.write(header, 0);
  await file.write(rows, headerOctets);
}

const smallOctets = 64 * 1024;

async function readHeaderOctets(file: OpenFile): Promise<Buffer | undefined> {
  const octets = Buffer.allocUnsafe(headerOctets);
  return (await file.read(octets, 0)) === headerOctets ? octets : undefined;
}

function isSameIndex(found: IndexHeader | undefined, expected: IndexHeader): boolean {
  return found !== undefined && encodeHeader(found, []).equals(encodeHeader(expected, []));
}

async function blockDigests(rows: Buffer, firstBlock: number): Promise<Buffer[]> {
  const count = rows.length / rowOctets;
  const blockOctets = rowsPerBlockOf(count) * rowOctets;
  const digests: Buffer[] = [];
  for (let block = firstBlock; block < blockCountOf(count); block += 1) {
    if (digests.length > 0) await setImmediate();
    digests.push(sha256(rows.subarray(block * blockOctets, (block + 1) * blockOctets)));
  }
  return digests;
}

async function unlessRefused<T>(answer: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

async function unlessTaken(creating: Promise<OpenFile>): Promise<OpenFile | undefined> {
  try {
    return await creating;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return undefined;
    throw error;
  }
}

async function unlessMissing(opening: Promise<OpenFile>): Promise<OpenFile | undefined> {
  try {
    return await opening;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
