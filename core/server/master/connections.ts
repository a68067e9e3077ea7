import { setTimeout as delay } from 'node:timers/promises';

import type { Crowds } from '../crowds.ts';
import type { Report } from '../ipc/messages.ts';
import { longestMs, mostConnections, noneTaken, type Taken, withoutOldest } from '../taken.ts';
import type { Child } from './child.ts';
import { SumOfCrowds } from './sum-of-crowds.ts';

/** How often fronts hear of one another's connections, in milliseconds. */
const tellEveryMs = 1000;
/** How soon, where somebody has suddenly many; and so long is between two times. */
const togetherMs = 20;
const pauseMs = 200;
/** So long a front may take to say what it has, in milliseconds; and so long is between two times that all are asked. */
const answerMs = 250;
const askPauseMs = 50;

/** As much of a front as matters here. */
type Member = Pick<Child, 'send' | 'ended'>;

interface Front {
  /** As of `toldAtMs`, and with what was given and got since. */
  taken: Taken;
  toldAtMs: number;
  /** Who has many of them; undefined where it has not told that of anybody. */
  crowds: Crowds | undefined;
  /** Whether it can be asked. */
  isThere: boolean;
}

/** What the fronts of all generations have, which each tells, and is told of the others: limits are for all of them together. */
export class Connections {
  readonly #fronts = new Map<Member, Front>();
  /** Who asks what the others have, with its number for that. */
  #askers = new Map<Member, number>();
  #isAsking = false;
  /** Who has not answered yet, and what is to be done when nobody is left. */
  readonly #silent = new Set<Member>();
  #allAnswered: () => void = () => {};
  #telling: NodeJS.Timeout | undefined;
  #tellingSoon: NodeJS.Timeout | undefined;
  #toldAtMs = -Infinity;

  /** A front has been started. */
  attend(child: Member): void {
    this.#fronts.set(child, { taken: noneTaken, toldAtMs: 0, crowds: undefined, isThere: false });
    this.#telling ??= setInterval(() => this.#tellAll(), tellEveryMs);
    // It knows before it lets anybody in.
    this.#tell(child, this.#sum());
    void child.ended.then(() => this.#forget(child));
  }

  hear(child: Member, report: Report): void {
    const front = this.#fronts.get(child);
    if (front === undefined) return;
    if (report.kind === 'listening') front.isThere = true;
    if (report.kind === 'alive') {
      front.taken = report.taken ?? noneTaken;
      front.toldAtMs = performance.now();
    }
    if (report.kind === 'makeRoom') this.#makeRoomFor(child, front);
    if (report.kind === 'look') void this.#ask(child, report.look);
    if (report.kind !== 'crowds') return;
    front.crowds = report.crowds;
    if (report.why === 'sudden') this.#tellSoon();
    if (report.why === 'asked') this.#answered(child);
  }

  /** Whoever has the oldest stranger ends that connection; where nobody has one any more, it is the one who asks. */
  #makeRoomFor(child: Member, front: Front): void {
    const others = [...this.#fronts].filter(([other, has]) => other !== child && canGive(has));
    const [oldest] = others.toSorted(([, one], [, other]) => oldestMsOf(other) - oldestMsOf(one));
    // Until they tell it themselves.
    front.taken = { ...front.taken, connections: front.taken.connections + 1 };
    const [giver, given] = oldest ?? [child, front];
    giver.send({ kind: 'giveWay', to: giver === child ? 'nobody' : 'other' });
    given.taken = withoutOldest(given.taken);
    this.#tellSoon();
  }

  #forget(child: Member): void {
    this.#fronts.delete(child);
    this.#answered(child);
    if (this.#fronts.size > 0) return;
    clearInterval(this.#telling);
    clearTimeout(this.#tellingSoon);
    this.#telling = undefined;
    this.#tellingSoon = undefined;
  }

  #sum(): SumOfCrowds {
    return new SumOfCrowds([...this.#fronts.values()].flatMap(({ crowds }) => crowds ?? []));
  }

  #tellAll(): void {
    clearTimeout(this.#tellingSoon);
    this.#tellingSoon = undefined;
    this.#toldAtMs = performance.now();
    const sum = this.#sum();
    for (const child of this.#fronts.keys()) this.#tell(child, sum);
  }

  #tellSoon(): void {
    const waitMs = Math.max(togetherMs, this.#toldAtMs + pauseMs - performance.now());
    this.#tellingSoon ??= setTimeout(() => this.#tellAll(), waitMs);
  }

  #tell(child: Member, sum: SumOfCrowds, look?: number): void {
    const taken = sumOf([...this.#fronts].flatMap(([other, front]) => (other === child ? [] : [front])));
    const crowds = sum.without(this.#fronts.get(child)?.crowds);
    child.send({ kind: 'elsewhere', taken, crowds, ...(look !== undefined && { look }) });
  }

  /** All who ask at one time are answered together, so that whoever makes fronts ask costs no more than that. */
  async #ask(asker: Member, number: number): Promise<void> {
    this.#askers.set(asker, number);
    if (this.#isAsking) return;
    this.#isAsking = true;
    while (this.#askers.size > 0) {
      const askers = this.#askers;
      this.#askers = new Map();
      await this.#askAll();
      const sum = this.#sum();
      for (const [child, look] of askers) this.#tell(child, sum, look);
      await delay(askPauseMs, undefined, { ref: false });
    }
    this.#isAsking = false;
  }

  /** Resolves when all have said what they have, or the time is up. */
  async #askAll(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#allAnswered = resolve;
    for (const [child, { isThere }] of this.#fronts) {
      if (!isThere) continue;
      this.#silent.add(child);
      child.send({ kind: 'tell' });
    }
    const timer = setTimeout(resolve, answerMs);
    if (this.#silent.size === 0) resolve();
    await promise;
    clearTimeout(timer);
    this.#silent.clear();
  }

  #answered(child: Member): void {
    if (this.#silent.delete(child) && this.#silent.size === 0) this.#allAnswered();
  }
}

/** One that says nothing any more would not do it either. */
const canGive = ({ taken, toldAtMs }: Front): boolean =>
  taken.strangers.count > 0 && performance.now() - toldAtMs < silentMs;
const silentMs = 3000;

const oldestMsOf = ({ taken: { strangers }, toldAtMs }: Front): number =>
  Math.min(longestMs, strangers.oldestMs + Math.floor(performance.now() - toldAtMs));

function sumOf(fronts: readonly Front[]): Taken {
  const giving = fronts.filter(canGive);
  return {
    connections: sumUp(fronts.map(({ taken }) => taken.connections)),
    strangers: {
      count: sumUp(giving.map(({ taken }) => taken.strangers.count)),
      oldestMs: Math.max(0, ...giving.map(oldestMsOf)),
    },
  };
}

/** Of whatever a front says: no other is to end for it. */
const sumUp = (counts: readonly number[]): number =>
  Math.min(
    mostConnections,
    counts.reduce((sum, count) => sum + count, 0),
  );
