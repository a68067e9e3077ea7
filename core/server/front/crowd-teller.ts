import { type Crowds, isEmpty } from '../crowds.ts';
import type { Limits } from '../limits.ts';

/** What comes after the first of many is told together with it, in milliseconds; and so long after that nobody is told of what is new. */
const togetherMs = 20;
const pauseMs = 200;

/** Tells the master who has many connections here: now and then, and soon where somebody has many more. */
export class CrowdTeller {
  readonly #limits: Limits;
  readonly #tell: (crowds: Crowds, isSudden: boolean) => void;
  #soon: NodeJS.Timeout | undefined;
  #hasTold = false;
  #toldAtMs = -Infinity;

  constructor(limits: Limits, tell: (crowds: Crowds, isSudden: boolean) => void) {
    this.#limits = limits;
    this.#tell = tell;
    limits.whenCrowded(() => {
      const waitMs = Math.max(togetherMs, this.#toldAtMs + pauseMs - performance.now());
      this.#soon ??= setTimeout(() => this.#speak(true), waitMs).unref();
    });
  }

  /** To be called now and then. */
  beat(): void {
    this.#speak(false);
  }

  #speak(isSudden: boolean): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    const crowds = this.#limits.tell();
    const isNothing = isEmpty(crowds);
    // That there are none any more is told once.
    if (isNothing && !this.#hasTold) return;
    this.#hasTold = !isNothing;
    this.#toldAtMs = performance.now();
    this.#tell(crowds, isSudden);
  }
}
