import type { Files, FileStat, OpenFile } from '../commit/index.ts';

/** One call to the file system. */
export interface FileCall {
  readonly what: keyof Files | keyof OpenFile;
  readonly path: string;
  /** Octets read or written. */
  readonly octets: number;
}

/** Files that tell what is done to them, and fail when they are told to. */
export class WatchedFiles implements Files {
  readonly #files: Files;
  readonly calls: FileCall[] = [];
  /** A flag for `before`. */
  isCommitting = false;
  #times: Pick<FileStat, 'mtimeNs' | 'ctimeNs'> | undefined;

  /** Called before each call; what it throws is what the caller gets. */
  before: (call: FileCall) => void | Promise<void> = () => {};

  constructor(files: Files) {
    this.#files = files;
  }

  /** Calls that concern this path. */
  callsTo(path: string): readonly FileCall[] {
    return this.calls.filter((call) => call.path === path);
  }

  readOctets(path: string): number {
    return this.callsTo(path).reduce((sum, call) => sum + (call.what === 'read' ? call.octets : 0), 0);
  }

  /** From now on an open file has these times, as if the clock stood still. */
  lieAboutTimes(times: Pick<FileStat, 'mtimeNs' | 'ctimeNs'> | undefined): void {
    this.#times = times && { mtimeNs: times.mtimeNs, ctimeNs: times.ctimeNs };
  }

  forget(): void {
    this.calls.length = 0;
  }

  async open(path: string, mode: Parameters<Files['open']>[1]): Promise<OpenFile> {
    await this.#note('open', path);
    return this.#watched(await this.#files.open(path, mode), path);
  }

  async lstat(path: string): ReturnType<Files['lstat']> {
    await this.#note('lstat', path);
    return this.#files.lstat(path);
  }

  async checkWritable(path: string): Promise<void> {
    await this.#note('checkWritable', path);
    await this.#files.checkWritable(path);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#note('rename', to);
    await this.#files.rename(from, to);
  }

  async link(from: string, to: string): Promise<void> {
    await this.#note('link', to);
    await this.#files.link(from, to);
  }

  async unlink(path: string): Promise<void> {
    await this.#note('unlink', path);
    await this.#files.unlink(path);
  }

  async createFolder(path: string): Promise<void> {
    await this.#note('createFolder', path);
    await this.#files.createFolder(path);
  }

  async syncFolder(path: string, point: string): Promise<void> {
    await this.#note('syncFolder', path);
    await this.#files.syncFolder(path, point);
  }

  async readFolder(path: string): Promise<readonly string[]> {
    await this.#note('readFolder', path);
    return this.#files.readFolder(path);
  }

  async bootId(): Promise<string | undefined> {
    return this.#files.bootId();
  }

  async #note(what: FileCall['what'], path: string, octets = 0): Promise<void> {
    const call = { what, path, octets };
    this.calls.push(call);
    await this.before(call);
  }

  #watched(file: OpenFile, path: string): OpenFile {
    return {
      descriptor: file.descriptor,
      stat: async () => {
        await this.#note('stat', path);
        const { mtimeNs, ctimeNs, ...facts } = await file.stat();
        return { ...facts, ...(this.#times ?? { mtimeNs, ctimeNs }) };
      },
      read: async (target, position) => {
        await this.#note('read', path, target.length);
        return file.read(target, position);
      },
      write: async (source, position) => {
        await this.#note('write', path, source.length);
        await file.write(source, position);
      },
      truncate: async (octets) => {
        await this.#note('truncate', path);
        await file.truncate(octets);
      },
      sync: async (point) => {
        await this.#note('sync', path);
        await file.sync(point);
      },
      dataSync: async (point) => {
        await this.#note('dataSync', path);
        await file.dataSync(point);
      },
      close: () => file.close(),
    };
  }
}

/** A system error, as Node throws it. */
export const systemError = (code: string): Error =>
  Object.assign(new Error(`${code}: made by a test`), { code });
