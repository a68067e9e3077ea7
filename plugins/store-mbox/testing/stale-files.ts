import type { Files, OpenFile } from '../commit/index.ts';
import { systemError } from './watched-files.ts';

/** The files of a disk, as NFS has them: what was open when another host replaced it is not to be had any more. */
export class StaleFiles {
  readonly files: Files;
  #generation = 0;

  constructor(files: Files) {
    this.files = {
      ...files,
      open: async (path, mode) => this.#aging(await files.open(path, mode)),
    };
  }

  /** Another host has replaced all that is open. */
  replaced(): void {
    this.#generation += 1;
  }

  #aging(file: OpenFile): OpenFile {
    const generation = this.#generation;
    const unlessStale = async <T>(call: () => Promise<T>): Promise<T> => {
      if (generation !== this.#generation) throw systemError('ESTALE');
      return call();
    };
    return {
      ...file,
      descriptor: file.descriptor,
      stat: () => unlessStale(() => file.stat()),
      read: (target, position) => unlessStale(() => file.read(target, position)),
      close: () => file.close(),
    };
  }
}
