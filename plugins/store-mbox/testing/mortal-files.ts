import { type Files, type OpenFile, realFiles } from '../commit/index.ts';
import { withFaultPoints } from '../commit/testing/dying-files.ts';

/**
 * Real files of a process that dies, in the test's own: no call comes back any more, and what it had open is closed, so that
 * its locks are free.
 */
export class MortalFiles {
  readonly files: Files;
  /** Changes to files until it dies. */
  #stepsToLive = Number.POSITIVE_INFINITY;
  readonly #died: Promise<'died'>;
  readonly #open = new Set<OpenFile>();
  #die: () => void = () => {};

  constructor() {
    this.#died = new Promise((resolve) => {
      this.#die = () => resolve('died');
    });
    const pointed = withFaultPoints(realFiles, () => this.#step());
    this.files = { ...pointed, open: async (path, mode) => this.#opened(await pointed.open(path, mode)) };
  }

  /** Whether the work came to its end before so many changes to files; otherwise it is dead, in the middle of it. */
  async outlives(steps: number, work: () => Promise<unknown>): Promise<boolean> {
    this.#stepsToLive = steps;
    const isWhole = (await Promise.race([work().then(() => 'whole'), this.#died])) === 'whole';
    this.#stepsToLive = Number.POSITIVE_INFINITY;
    return isWhole;
  }

  async #step(): Promise<void> {
    this.#stepsToLive -= 1;
    if (this.#stepsToLive >= 0) return;
    // Another process may use the same files from now on.
    this.#stepsToLive = Number.POSITIVE_INFINITY;
    for (const file of this.#open) await file.close();
    this.#die();
    await new Promise(() => {});
  }

  #opened(file: OpenFile): OpenFile {
    this.#open.add(file);
    const close = async (): Promise<void> => {
      this.#open.delete(file);
      await file.close();
    };
    return { ...file, close };
  }
}
