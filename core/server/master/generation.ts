import type { Logger } from '../../log/logger.ts';
import type { Status } from '../control/messages.ts';
import type { Plan } from '../ipc/plan.ts';
import type { SharedSocket } from '../listener.ts';
import type { Child } from './child.ts';
import type { Connections } from './connections.ts';
import { FrontKeeper } from './front-keeper.ts';
import { StartPatience } from './start-patience.ts';
import type { Users } from './users.ts';

export interface GenerationOptions {
  /** Counted from 1. */
  readonly number: number;
  readonly plan: Plan;
  readonly sockets: readonly SharedSocket[];
  readonly fork: () => Child;
  /** With `isolation: 'user'`. */
  readonly users?: Users | undefined;
  /** Those of all fronts of all generations. */
  readonly connections: Connections;
  readonly buried: (status: Status) => void;
  readonly log: Logger;
}

/** How a generation begins. */
export interface Beginning {
  /** What dead processes have left half done is dealt with first. */
  readonly recovers: boolean;
  /** Whether it is tried that a process of a user's can begin, before the first user comes. */
  readonly rehearses: boolean;
  readonly patience: StartPatience;
}

/** The fronts that serve with one configuration. */
export class Generation {
  readonly number: number;
  readonly plan: Plan;
  readonly addresses: readonly string[];
  /** Resolves when it was told to end and its last process has. */
  readonly ended: Promise<void>;
  readonly #keepers: readonly FrontKeeper[];
  readonly #users: Users | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #isEnding = false;
  #isStopping = false;

  constructor({ number, plan, sockets, ...surroundings }: GenerationOptions) {
    this.number = number;
    this.plan = plan;
    this.#users = surroundings.users;
    this.addresses = sockets.map(({ address }) => address);
    this.#keepers = Array.from({ length: plan.fronts }, (_, index) => {
      const { blockedTimeoutMs } = plan;
      return new FrontKeeper({
        number: index + 1,
        addresses: this.addresses,
        blockedTimeoutMs,
        ...surroundings,
      });
    });
    this.ended = this.#end();
  }

  get statuses(): readonly Status[] {
    return this.#keepers.flatMap(({ statuses }) => statuses);
  }

  /** Whether one of its fronts, at least, is well. */
  get isServing(): boolean {
    return this.#keepers.some(({ isServing }) => isServing);
  }

  /** Whether it was told to end, in whatever way. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** What stands behind its fronts with `isolation: 'user'`. */
  get users(): Users | undefined {
    return this.#users;
  }

  get children(): readonly Child[] {
    return this.#keepers.flatMap(({ children }) => children);
  }

  /**
   * Resolves when all its fronts listen. The first of them is alone until then: what is wrong shows in one, and recovery comes
   * before the first client. Rejects with the reason where one cannot; the others are for the caller to end.
   */
  async start({ recovers, rehearses, patience }: Beginning): Promise<void> {
    const [first, ...rest] = this.#keepers;
    await this.#users?.start(recovers, patience);
    this.#refuseEnd();
    // Fronts let clients in as soon as they are there, whom somebody has to serve.
    if (rehearses) await this.#users?.rehearse(patience);
    this.#refuseEnd();
    await first?.start({ recovers: recovers && this.#users === undefined, announces: true }, patience);
    this.#refuseEnd();
    await Promise.all(rest.map((keeper) => keeper.start({ recovers: false, announces: false }, patience)));
  }

  /** Lets nobody in any more, and ends with the last session, or when that takes too long. */
  retire(): void {
    this.#isEnding = true;
    for (const keeper of this.#keepers) keeper.retire();
    this.#users?.rest();
    this.#deadline ??= setTimeout(() => this.stop(), this.plan.retireTimeoutMs);
  }

  /** Ends its sessions as a stop does; called again, at once. */
  stop(): void {
    this.#isEnding = true;
    this.#isStopping = true;
    for (const keeper of this.#keepers) keeper.stop();
    void this.#users?.stop();
  }

  /** Ends all processes at once. */
  kill(): void {
    for (const child of this.children) child.kill();
    this.#users?.kill();
  }

  /** Nobody would end what is begun from here on. */
  #refuseEnd(): void {
    if (this.#isEnding) throw new Error('it was told to end while it began');
  }

  async #end(): Promise<void> {
    await Promise.all(this.#keepers.map(({ ended }) => ended));
    // Only fronts ask them for anything.
    await this.#users?.end();
    clearTimeout(this.#deadline);
  }
}
