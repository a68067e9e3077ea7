import type { Logger } from '../../log/logger.ts';
import type { Status } from '../control/messages.ts';
import { longestStartMs } from '../ipc/longest-start.ts';
import type { Checked, Plan, UsersPlan } from '../ipc/plan.ts';
import type { SharedSocket } from '../listener.ts';
import { SocketDebug } from '../socket-debug.ts';
import { Child } from './child.ts';
import { Connections } from './connections.ts';
import { type Beginning, Generation } from './generation.ts';
import { loadPlan } from './load-plan.ts';
import { Sockets } from './sockets.ts';
import { StartPatience } from './start-patience.ts';
import { type Program, startProcess, type StartOptions } from './start-process.ts';
import { nothing, pastOf, plus, type Total, totalOf } from './sum-of-statuses.ts';
import { Users, type UsersOptions } from './users.ts';

/** Generations that end with their sessions; when there is one more, the oldest is stopped. */
const maxRetired = 4;

export interface MasterOptions {
  readonly program: Program;
  readonly log: Logger;
}

/**
 * The process above the fronts. It binds the sockets, starts fronts and starts others where they die, and replaces all of
 * them for a reload. It loads no configuration, accepts no client and reads no octet of one.
 */
export class Master {
  /** Called with each reload as it begins. */
  reloads: (outcome: Promise<number>) => void = () => {};
  readonly #options: MasterOptions;
  readonly #log: Logger;
  readonly #sockets = new Sockets();
  readonly #connections = new Connections();
  /** With `isolation: 'user'`, of all generations together: how many sessions each user has. */
  readonly #sessionsOfUsers = new Map<string, number>();
  /** All that have processes, the oldest first. */
  readonly #generations = new Set<Generation>();
  /** The one that lets clients in. */
  #current: Generation | undefined;
  #generationCount = 0;
  /** Of the configuration that it serves with. */
  #stateDir: string | undefined;
  /** What looks at the configuration on disk. */
  #checking: Child | undefined;
  #past = nothing;
  /** The start, or the last reload that has begun; never rejects. */
  #lastBegun: Promise<unknown> = Promise.resolve();
  #nextReload: Promise<number> | undefined;
  #isEnding = false;

  constructor(options: MasterOptions) {
    this.#options = options;
    this.#log = options.log;
  }

  /**
   * Resolves when clients can come, by this configuration. Rejects with an Error for the operator, and then
   * nothing is left.
   */
  async start(checked: Checked): Promise<void> {
    const first = this.#begin(checked, { recovers: true, patience: new StartPatience(Infinity) });
    this.#lastBegun = first.catch(() => {});
    try {
      await first;
    } catch (error) {
      // Told once more, it would end sessions at once.
      await this.#end((generation) => {
        if (!generation.isEnding) generation.stop();
      });
      throw error;
    }
  }

  get addresses(): readonly string[] {
    return this.#current?.addresses ?? [];
  }

  /** Whether there is a front that is well; where none is for long, all of it is better started anew. */
  get isServing(): boolean {
    return this.#current?.isServing === true;
  }

  get children(): readonly Child[] {
    return [...this.#generations].flatMap(({ children }) => children);
  }

  /** What stands behind the fronts of each generation with `isolation: 'user'`. */
  get users(): readonly Users[] {
    return [...this.#generations].flatMap(({ users }) => (users === undefined ? [] : [users]));
  }

  /** Of all fronts together, those included that are no more. */
  get total(): Total {
    return plus(this.#past, totalOf(this.#statuses));
  }

  get #statuses(): readonly Status[] {
    return [...this.#generations].flatMap(({ statuses }) => statuses);
  }

  /**
   * Serves with the configuration as it is on disk now, and gives the number of its generation. Rejects with the reason
   * where that cannot be; then everything is as before. One that is asked for while another is under way follows it.
   */
  reload(): Promise<number> {
    this.#nextReload ??= this.#lastBegun.then(() => {
      this.#nextReload = undefined;
      const reload = this.#reload();
      this.#lastBegun = reload.catch(() => {});
      this.reloads(reload);
      return reload;
    });
    return this.#nextReload;
  }

  /** Lets nobody in any more, and resolves when the last session is over. */
  drain(): Promise<void> {
    return this.#end((generation) => generation.retire());
  }

  /** Ends all sessions as a stop does; called again, at once. */
  stop(): Promise<void> {
    return this.#end((generation) => generation.stop());
  }

  /** Ends all processes at once. */
  kill(): void {
    this.#checking?.kill();
    for (const generation of this.#generations) generation.kill();
  }

  async #end(how: (generation: Generation) => void): Promise<void> {
    this.#isEnding = true;
    this.#checking?.kill();
    this.#sockets.close();
    for (const generation of this.#generations) how(generation);
    await Promise.all([...this.#generations].map(({ ended }) => ended));
  }

  async #reload(): Promise<number> {
    this.#log.info('reloading');
    try {
      this.#refuseEnd();
      const loading = new StartPatience(longestStartMs, 'load the configuration');
      const checked = await loadPlan(this.#forkToCheck(), loading);
      this.#refuseEnd();
      return await this.#begin(checked, {
        recovers: false,
        patience: new StartPatience(longestStartMs),
      });
    } catch (error) {
      this.#log.error('the reload failed, and all stays as it was', { error });
      throw error;
    }
  }

  /** The new fronts stand beside the old until all of them listen. */
  async #begin(checked: Checked, beginning: Omit<Beginning, 'rehearses'>): Promise<number> {
    const { plan } = checked;
    let next: Generation | undefined;
    try {
      next = await this.#prepare(checked);
      await next.start({ ...beginning, rehearses: true });
      this.#refuseEnd();
    } catch (error) {
      // Whom its first front has let in meanwhile is not to stay with what has been refused.
      if (next?.isEnding === false) next.stop();
      if (this.#isEnding) this.#sockets.close();
      else this.#sockets.keepOnly(this.#current?.plan.listen ?? []);
      this.#refuseEnd(error);
      throw error;
    }
    this.#current?.retire();
    this.#current = next;
    this.#stateDir = checked.foreground.stateDir;
    this.#sockets.keepOnly(plan.listen);
    this.#stopOldest();
    const { number, addresses } = next;
    this.#log.info('listening', { addresses, fronts: plan.fronts, generation: number });
    return number;
  }

  /** In the place of what went wrong because of it. */
  #refuseEnd(cause?: unknown): void {
    if (this.#isEnding) throw new Error('popper is stopping', { cause });
  }

  async #prepare({ plan, foreground, snapshot }: Checked): Promise<Generation> {
    const child = { program: this.#options.program, snapshot, stateDir: foreground.stateDir };
    const log = this.#log;
    const sockets = await this.#sockets.open(plan.listen);
    // Here, because fronts may not be root, who alone can.
    if (plan.socketDebug) await this.#debug(sockets, plan);
    // From here on it is found by whoever ends all of them.
    this.#refuseEnd();
    this.#generationCount += 1;
    const descriptors = sockets.map(({ descriptor }) => descriptor);
    const generation = new Generation({
      number: this.#generationCount,
      plan,
      sockets,
      fork: () => Child.start('front', { ...child, descriptors, as: plan.users?.front, log }),
      users: plan.users && this.#usersOf(plan.users, plan, child),
      connections: this.#connections,
      buried: (status) => {
        this.#past = plus(this.#past, pastOf(status));
      },
      log,
    });
    this.#generations.add(generation);
    void generation.ended.then(() => this.#generations.delete(generation));
    return generation;
  }

  async #debug(sockets: readonly SharedSocket[], { listen }: Checked['plan']): Promise<void> {
    const debug = await SocketDebug.load(this.#log);
    for (const [index, where] of listen.entries())
      if (!('path' in where)) debug.turnOn(sockets[index]?.descriptor);
  }

  /** Sessions may go on for as long as they like, but not for any number of reloads: each generation costs memory. */
  #stopOldest(): void {
    const retired = [...this.#generations].filter((generation) => generation !== this.#current);
    for (const generation of retired.slice(0, -maxRetired)) {
      if (generation.isStopping) continue;
      const { number, statuses } = generation;
      const { sessions } = totalOf(statuses);
      this.#log.warn('too many reloads for old sessions to go on', { generation: number, sessions });
      generation.stop();
    }
  }

  #usersOf(plan: UsersPlan, { blockedTimeoutMs }: Plan, child: StartOptions): Users {
    const fork: UsersOptions['fork'] = (role, as) => startProcess(role, { ...child, as });
    const sessionsOfUsers = this.#sessionsOfUsers;
    return new Users({ plan, blockedTimeoutMs, sessionsOfUsers, fork, log: this.#log });
  }

  #forkToCheck(): Child {
    const child = Child.start('plan', { ...this.#options, stateDir: this.#stateDir });
    this.#checking = child;
    void child.ended.finally(() => {
      this.#checking = undefined;
    });
    return child;
  }
}
