import { isEmpty } from '../crowds.ts';
import type { Limits } from '../limits.ts';
import type { Superior } from './superior.ts';

/** What comes after the first of many is told together with it, in milliseconds; and so long after that nobody is told of what is new. */
const togetherMs = 20;
const pauseMs = 200;
/** So long is waited for what the others have, in milliseconds: the master may be asking them for somebody else, and one may not answer, both times. So long is between two times that they are asked. */
const lookMs = 750;
const lookPauseMs = 50;

/** Tells the master who has many connections here, now and then, and soon where somebody has many more; and asks for what the others have. */
export class CrowdTeller {
  readonly #limits: Limits;
  readonly #master: Pick<Superior, 'tell'>;
  #soon: NodeJS.Timeout | undefined;
  #isTelling = false;
  #hasTold = false;
  #toldAtMs = -Infinity;
  #looks = 0;
  #heard: (look: number) => void = () => {};
  #lastLook: Promise<void> = Promise.resolve();
  #nextLook: Promise<void> | undefined;

  constructor(limits: Limits, master: Pick<Superior, 'tell'>) {
    this.#limits = limits;
    this.#master = master;
    limits.shareBy({ tell: () => this.#tellSoon(), look: () => this.#look() });
  }

  /** To be called now and then. */
  beat(): void {
    void this.#tell(this.#soon === undefined ? 'due' : 'sudden');
  }

  /** The master asks. */
  answer(): void {
    const crowds = this.#limits.tell();
    this.#hasTold = !isEmpty(crowds);
    void this.#master.tell({ kind: 'crowds', crowds, why: 'asked' });
  }

  /** What the others have has come, as it was asked for. */
  heard(look: number): void {
    this.#heard(look);
  }

  #tellSoon(): void {
    const waitMs = Math.max(togetherMs, this.#toldAtMs + pauseMs - performance.now());
    this.#soon ??= setTimeout(() => void this.#tell('sudden'), waitMs).unref();
  }

  /** A master that does not read is told nothing more meanwhile. */
  async #tell(why: 'due' | 'sudden'): Promise<void> {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    if (this.#isTelling) return;
    const crowds = this.#limits.tell();
    const isNothing = isEmpty(crowds);
    // That there are none any more is told once.
    if (isNothing && !this.#hasTold) return;
    this.#hasTold = !isNothing;
    this.#toldAtMs = performance.now();
    this.#isTelling = true;
    await this.#master.tell({ kind: 'crowds', crowds, why });
    this.#isTelling = false;
  }

  /** One that begins after this call: what is under way may have been told before whatever it is that is over by now. */
  #look(): Promise<void> {
    this.#nextLook ??= this.#lastLook.then(() => {
      this.#nextLook = undefined;
      const look = this.#lookNow();
      this.#lastLook = look.then(
        () => new Promise<void>((resolve) => void setTimeout(resolve, lookPauseMs).unref()),
      );
      return look;
    });
    return this.#nextLook;
  }

  async #lookNow(): Promise<void> {
    this.#looks += 1;
    const look = this.#looks;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#heard = (heard) => {
      if (heard === look) resolve();
    };
    const tooLong = setTimeout(resolve, lookMs);
    void this.#master.tell({ kind: 'look', look });
    await promise;
    clearTimeout(tooLong);
  }
}
