import { setTimeout as delay } from 'node:timers/promises';

import type { Crowds } from '../crowds.ts';
import type { Report } from '../ipc/messages.ts';
import type { Strangers } from '../places.ts';
import type { Child } from './child.ts';
import { SumOfCrowds } from './sum-of-crowds.ts';
import { sessionsIn } from './sum-of-statuses.ts';

/** How often fronts hear of one another's connections, in milliseconds. */
const tellEveryMs = 1000;
/** How soon, where somebody has suddenly many; and so long is between two times. */
const togetherMs = 20;
const pauseMs = 200;
/** So long a front may take to say what it has, in milliseconds; and so long is between two times that all are asked. */
const answerMs = 250;
const askPauseMs = 50;

interface Front {
  connections: number;
  /** Among them; as of `toldAtMs`. */
  strangers: Strangers;
  toldAtMs: number;
  /** Who has many of them; undefined where it has not told that of anybody. */
  crowds: Crowds | undefined;
  /** Whether it can be asked. */
  isThere: boolean;
}

/** What the fronts of all generations have, which each tells, and is told of the others: limits are for all of them together. */
export class Connections {
  readonly #fronts = new Map<Child, Front>();
  /** Who asks what the others have, with its number for that. */
  #askers = new Map<Child, number>();
  #isAsking = false;
  /** Who has not answered yet, and what is to be done when nobody is left. */
  readonly #silent = new Set<Child>();
  #allAnswered: () => void = () => {};
  #telling: NodeJS.Timeout | undefined;
  #tellingSoon: NodeJS.Timeout | undefined;
  #toldAtMs = -Infinity;

  /** A front has been started. */
  attend(child: Child): void {
    this.#fronts.set(child, {
      connections: 0,
      strangers: none,
      toldAtMs: 0,
      crowds: undefined,
      isThere: false,
    });
    this.#telling ??= setInterval(() => this.#tellAll(), tellEveryMs);
    // It knows before it lets anybody in.
    this.#tell(child, this.#sum());
    void child.ended.then(() => this.#forget(child));
  }

  hear(child: Child, report: Report): void {
    const front = this.#fronts.get(child);
    if (front === undefined) return;
    if (report.kind === 'listening') front.isThere = true;
    if (report.kind === 'alive') {
      front.connections = sessionsIn(report.status);
      front.strangers = report.strangers ?? none;
      front.toldAtMs = performance.now();
    }
    if (report.kind === 'makeRoom') this.#makeRoomFor(child, front);
    if (report.kind === 'look') void this.#ask(child, report.look);
    if (report.kind !== 'crowds') return;
    front.crowds = report.crowds;
    if (report.why === 'sudden') this.#tellSoon();
    if (report.why === 'asked') this.#answered(child);
  }

  /** Whoever has the oldest stranger ends that connection. */
  #makeRoomFor(child: Child, front: Front): void {
    const others = [...this.#fronts].filter(
      ([other, { strangers }]) => other !== child && strangers.count > 0,
    );
    const [oldest] = others.toSorted(([, one], [, other]) => oldestMsOf(other) - oldestMsOf(one));
    if (oldest === undefined) return;
    const [giver, given] = oldest;
    giver.send({ kind: 'giveWay' });
    // Until they tell it themselves. The next oldest has not been there for much less, where many have come.
    given.strangers = { ...given.strangers, count: given.strangers.count - 1 };
    given.connections -= 1;
    front.connections += 1;
  }

  #forget(child: Child): void {
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

  #tell(child: Child, sum: SumOfCrowds, look?: number): void {
    let connections = 0;
    let strangers = none;
    for (const [other, front] of this.#fronts) {
      if (other === child) continue;
      connections += front.connections;
      const { count } = front.strangers;
      if (count === 0) continue;
      const oldestMs = Math.max(strangers.oldestMs, oldestMsOf(front));
      strangers = { count: strangers.count + count, oldestMs };
    }
    const crowds = sum.without(this.#fronts.get(child)?.crowds);
    child.send({ kind: 'elsewhere', connections, strangers, crowds, ...(look !== undefined && { look }) });
  }

  /** All who ask at one time are answered together, so that whoever makes fronts ask costs no more than that. */
  async #ask(asker: Child, number: number): Promise<void> {
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

  #answered(child: Child): void {
    if (this.#silent.delete(child) && this.#silent.size === 0) this.#allAnswered();
  }
}

const none: Strangers = { count: 0, oldestMs: 0 };

const oldestMsOf = ({ strangers, toldAtMs }: Front): number =>
  strangers.oldestMs + Math.floor(performance.now() - toldAtMs);
