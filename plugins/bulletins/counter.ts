import { dirname } from 'node:path';

import { systemError } from './bulletin-file.ts';
import { leadingNumber } from './bulletin-name.ts';
import type { CounterFiles } from './counter-files.ts';

/** A number that is written and waits for its moment. */
export interface NextNumber {
  /** From here on it counts, durably. May be called again where it failed. */
  commit(): Promise<void>;
  /** It is not needed, or cannot be had. Comes instead of a `commit` that has come to its end. */
  abandon(): Promise<void>;
}

/** The highest bulletin that one user has: a line with a decimal number, as qpopper's `.popbull`. */
export class Counter {
  readonly #path: string;
  readonly #files: CounterFiles;

  constructor(path: string, files: CounterFiles) {
    this.#path = path;
    this.#files = files;
  }

  /** undefined for a new user: no file, or one that does not begin with a digit. Throws system errors. */
  async read(): Promise<number | undefined> {
    return leadingNumber((await this.#files.read(this.#path)) ?? '');
  }

  /**
   * Writes the number beside the file, so that what can fail has failed before a message is added. `former` is what was read: if
   * another session has counted on since, this throws. Throws system errors, and nothing has changed then.
   */
  async prepare(number: number, former: number | undefined): Promise<NextNumber> {
    const path = `${this.#path}.next`;
    const next = await this.#files.openNext(path);
    if (next === 'busy') throw systemError('EBUSY', 'another session writes it');
    try {
      if ((await this.read()) !== former) throw systemError('EBUSY', 'another session has written it');
      await next.write(`${number}\n`);
      await next.sync();
    } catch (error) {
      await this.#files.unlink(path).catch(() => {});
      await next.close();
      throw error;
    }
    let isRenamed = false;
    return {
      commit: async () => {
        if (!isRenamed) await this.#files.rename(path, this.#path);
        isRenamed = true;
        await this.#files.syncFolder(dirname(this.#path));
        // What is on the disk stays there, however the file is closed.
        await next.close().catch(() => {});
      },
      abandon: async () => {
        if (!isRenamed) await this.#files.unlink(path).catch(() => {});
        await next.close().catch(() => {});
      },
    };
  }
}
