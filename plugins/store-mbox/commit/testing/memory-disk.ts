// Over 250 lines: the disk's state and its calls are one machine, and splitting it would make both halves public.
import { dirname } from 'node:path';

import type { Files, FileStat, OpenFile, OpenMode } from '../files.ts';
import { MemoryInode } from './memory-inode.ts';
import type { Random } from './random.ts';

/** One call of the file layer; a write is one step a sector. */
export interface DiskStep {
  readonly call: string;
  readonly path: string;
  /** Whether it changes anything, or only looks. */
  readonly changes: boolean;
}

/** The process or the machine died in the middle of a call. */
export class Died extends Error {
  override readonly name = 'Died';
}

interface NameChange {
  readonly folders: readonly string[];
  apply(names: Map<string, MemoryInode>): void;
}

/**
 * A disk with a page cache. What was not synced can be lost sector by sector, names too; what a killed process wrote
 * stays in the cache. Every step can be the last one of its process.
 */
export class MemoryDisk {
  readonly #random: Random;
  readonly sectorOctets: number;
  #names = new Map<string, MemoryInode>();
  #durableNames = new Map<string, MemoryInode>();
  #nameChanges: NameChange[] = [];
  /** Also those without a name: a lost unlink brings them back. */
  readonly #inodes = new Set<MemoryInode>();
  #dev = 7n;
  #boot = 1;
  #process = 1;
  #clockNs = 0n;
  /** Changing steps until the process dies; undefined: it lives. */
  stepsToLive: number | undefined;
  /** Octets that can still be allocated; undefined: no end. */
  freeOctets: number | undefined;
  /** Points of the code whose fsync does nothing. */
  readonly deafPoints = new Set<string>();
  /** Answers the error that a step fails with. */
  fault: ((step: DiskStep) => string | undefined) | undefined;
  /** Comes before each fsync: the time for programs that ignore locks. */
  beforeSync: (() => void) | undefined;
  steps = 0;

  constructor(random: Random, sectorOctets: number) {
    this.#random = random;
    this.sectorOctets = sectorOctets;
  }

  /** True from the death of the process to the next `files()`. */
  get dead(): boolean {
    return this.stepsToLive !== undefined && this.stepsToLive < 0;
  }

  /** The file layer of a new process. */
  files(): Files {
    this.#process += 1;
    this.stepsToLive = undefined;
    return this.#filesOf(this.#process);
  }

  /** Puts a durable file there, as if it had been there for ever. */
  put(path: string, content: Uint8Array): void {
    const inode = this.#newInode(content);
    this.#names.set(path, inode);
    this.#durableNames.set(path, inode);
  }

  /** undefined if there is no such file. */
  content(path: string): Buffer | undefined {
    const inode = this.#names.get(path);
    return inode === undefined ? undefined : Buffer.from(inode.cache);
  }

  paths(): readonly string[] {
    return [...this.#names.keys()];
  }

  /** A mail delivery agent appends, and waits for the disk as they do. */
  deliver(path: string, mail: Uint8Array): void {
    const inode = this.#inode(path);
    inode.write(mail, inode.cache.length);
    inode.sync();
  }

  /** The process is gone; the machine lives on, and with it the cache. */
  kill(): void {
    this.stepsToLive = -1;
  }

  /** The machine is off: any part of what was not synced is lost. Afterwards a device may have another number. */
  cutPower(): void {
    this.stepsToLive = -1;
    const lossProbability = this.#random.pick(0.1, 0.5, 0.9);
    const lost = () => this.#random.chance(lossProbability);
    for (const inode of this.#inodes) inode.lose(lost);
    for (const change of this.#nameChanges) if (!lost()) change.apply(this.#durableNames);
    this.#names = new Map(this.#durableNames);
    this.#nameChanges = [];
    this.#boot += 1;
    if (this.#random.chance(0.3)) this.#dev += 1n;
  }

  #filesOf(process: number): Files {
    const step = (call: string, path: string, changes = true) => this.#step(process, { call, path, changes });
    return {
      open: async (path, mode) => this.#open(process, path, mode),
      lstat: async (path) => {
        step('lstat', path, false);
        const inode = this.#names.get(path);
        return inode === undefined ? undefined : this.#stat(inode);
      },
      checkWritable: async (path) => step('checkWritable', path, false),
      rename: async (from, to) => {
        step('rename', from);
        const inode = this.#inode(from);
        this.#change([dirname(from), dirname(to)], (names) => {
          if (names.get(from) === inode) names.delete(from);
          names.set(to, inode);
        });
      },
      link: async (from, to) => {
        step('link', from);
        const inode = this.#inode(from);
        if (this.#names.has(to)) throw systemError('EEXIST', to);
        this.#change([dirname(to)], (names) => names.set(to, inode));
      },
      unlink: async (path) => {
        step('unlink', path);
        this.#free(this.#inode(path).release());
        this.#change([dirname(path)], (names) => names.delete(path));
      },
      createFolder: async (path) => step('createFolder', path),
      syncFolder: async (path, point) => {
        this.beforeSync?.();
        step('syncFolder', path);
        this.#syncFolder(path, point);
      },
      readFolder: async (path) => {
        step('readFolder', path, false);
        return this.paths()
          .filter((name) => dirname(name) === path)
          .map((name) => name.slice(path.length + 1));
      },
      bootId: async () => `boot ${this.#boot}`,
    };
  }

  async #open(process: number, path: string, mode: OpenMode): Promise<OpenFile> {
    this.#step(process, { call: 'open', path, changes: mode === 'create' });
    if (mode === 'create') this.#create(path);
    const inode = this.#inode(path);
    const step = (call: string, changes = true) => this.#step(process, { call, path, changes });
    return {
      descriptor: 0,
      stat: async () => {
        step('stat', false);
        return this.#stat(inode);
      },
      read: async (target, position) => {
        step('read', false);
        const found = inode.cache.subarray(position, position + target.length);
        target.set(found);
        return found.length;
      },
      write: async (source, position) => this.#write(inode, () => step('write'), { source, position }),
      truncate: async (octets) => {
        step('truncate');
        this.#free(inode.truncate(octets));
      },
      sync: async (point) => this.#sync(inode, () => step('sync'), point),
      dataSync: async (point) => this.#sync(inode, () => step('dataSync'), point),
      close: async () => step('close', false),
    };
  }

  #create(path: string): void {
    if (this.#names.has(path)) throw systemError('EEXIST', path);
    const inode = this.#newInode(new Uint8Array());
    this.#change([dirname(path)], (names) => names.set(path, inode));
  }

  #newInode(content: Uint8Array): MemoryInode {
    const inode = new MemoryInode(BigInt(this.#inodes.size + 1), content, this.sectorOctets, () => {
      this.#clockNs += 1n;
      return this.#clockNs;
    });
    this.#inodes.add(inode);
    return inode;
  }

  /** Sector by sector, so that death or an error can come between any two. */
  #write(
    inode: MemoryInode,
    step: () => void,
    { source, position }: { source: Uint8Array; position: number },
  ): void {
    let done = 0;
    while (done < source.length) {
      const start = position + done;
      const end = Math.min(source.length, done + this.sectorOctets - (start % this.sectorOctets));
      step();
      this.#allocate(inode, start);
      inode.write(source.subarray(done, end), start);
      done = end;
    }
  }

  #sync(inode: MemoryInode, step: () => void, point: string): void {
    this.beforeSync?.();
    try {
      step();
    } catch (error) {
      // The kernel forgets what it could not write: the cache stays as it is and counts as written.
      const lossProbability = this.#random.pick(0, 0.1, 0.5);
      if (!(error instanceof Died)) inode.syncBadly(() => this.#random.chance(lossProbability));
      throw error;
    }
    if (!this.deafPoints.has(point)) inode.sync();
  }

  #syncFolder(path: string, point: string): void {
    if (this.deafPoints.has(point)) return;
    for (const change of this.#nameChanges)
      if (change.folders.includes(path)) change.apply(this.#durableNames);
    this.#nameChanges = this.#nameChanges.filter(({ folders }) => !folders.includes(path));
  }

  #change(folders: readonly string[], apply: (names: Map<string, MemoryInode>) => void): void {
    apply(this.#names);
    this.#nameChanges.push({ folders, apply });
  }

  #allocate(inode: MemoryInode, position: number): void {
    const needed = inode.missingOctets(position);
    if (this.freeOctets !== undefined && needed > this.freeOctets) throw systemError('ENOSPC', 'write');
    this.#free(-needed);
  }

  #free(octets: number): void {
    if (this.freeOctets !== undefined) this.freeOctets += octets;
  }

  #step(process: number, step: DiskStep): void {
    if (process !== this.#process || this.dead) throw new Died('this process is dead');
    if (step.changes) {
      this.steps += 1;
      if (this.stepsToLive !== undefined) this.stepsToLive -= 1;
      if (this.dead) throw new Died(`died at ${step.call} ${step.path}`);
    }
    const code = this.fault?.(step);
    if (code !== undefined) throw systemError(code, `${step.call} ${step.path}`);
  }

  #inode(path: string): MemoryInode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw systemError('ENOENT', path);
    return inode;
  }

  #stat(inode: MemoryInode): FileStat {
    return {
      kind: 'file',
      dev: this.#dev,
      ino: inode.ino,
      octets: inode.cache.length,
      mtimeNs: inode.changedNs,
      ctimeNs: inode.changedNs,
      nlink: 1,
      uid: 0,
      gid: 0,
      mode: 0o600,
    };
  }
}

/** As Node makes them. */
export function systemError(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}
