import type { Logger } from '../../log/logger.ts';
import type { Status } from '../control/messages.ts';
import type { Plan } from '../ipc/plan.ts';
import type { SharedSocket } from '../listener.ts';
import type { Child } from './child.ts';
import { FrontKeeper } from './front-keeper.ts';

export interface GenerationOptions {
  /** Counted from 1. */
  readonly number: number;
  readonly plan: Plan;
  readonly sockets: readonly SharedSocket[];
  readonly fork: () => Child;
  readonly buried: (status: Status) => void;
  readonly log: Logger;
}

/** The fronts that serve with one configuration. */
export class Generation {
  readonly number: number;
  readonly plan: Plan;
  readonly addresses: readonly string[];
  /** Resolves when it was told to end and its last process has. */
  readonly ended: Promise<void>;
  readonly #keepers: readonly FrontKeeper[];
  #deadline: NodeJS.Timeout | undefined;
  #isStopping = false;

  constructor({ number, plan, sockets, ...surroundings }: GenerationOptions) {
    this.number = number;
    this.plan = plan;
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
    this.ended = Promise.all(this.#keepers.map(({ ended }) => ended)).then(() =>
      clearTimeout(this.#deadline),
    );
  }

  get statuses(): readonly Status[] {
    return this.#keepers.flatMap(({ statuses }) => statuses);
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  get children(): readonly Child[] {
    return this.#keepers.flatMap(({ children }) => children);
  }

  /**
   * Resolves when all its fronts listen. The first of them is alone until then: what is wrong shows in one, and recovery comes
   * before the first client. Rejects with the reason where one cannot; the others are for the caller to end.
   */
  async start(recovers: boolean): Promise<void> {
    const [first, ...rest] = this.#keepers;
    await first?.start({ recovers, announces: true });
    await Promise.all(rest.map((keeper) => keeper.start({ recovers: false, announces: false })));
  }

  tellSessions(all: number): void {
    for (const keeper of this.#keepers) keeper.tellSessions(all);
  }

  /** Lets nobody in any more, and ends with the last session, or when that takes too long. */
  retire(): void {
    for (const keeper of this.#keepers) keeper.retire();
    this.#deadline ??= setTimeout(() => this.stop(), this.plan.retireTimeoutMs);
  }

  /** Ends its sessions as a stop does; called again, at once. */
  stop(): void {
    this.#isStopping = true;
    for (const keeper of this.#keepers) keeper.stop();
  }
}
