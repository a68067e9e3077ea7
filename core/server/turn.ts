import { setImmediate as othersHadTheirs } from 'node:timers/promises';

/** So long one session may keep the process from all others, in milliseconds. */
const turnMs = 10;

/**
 * One session's turn. A client that pipelines and reads fast never has to be waited for: without an end to its turn, a
 * million lines in work would be a second of silence for everybody else.
 */
export class Turn {
  #beganAtMs = performance.now();

  /** A wait has just ended, in which others had their turns. */
  begin(): void {
    this.#beganAtMs = performance.now();
  }

  get isOver(): boolean {
    return performance.now() - this.#beganAtMs >= turnMs;
  }

  /** Lets the others go first. */
  async next(): Promise<void> {
    await othersHadTheirs();
    this.begin();
  }
}
