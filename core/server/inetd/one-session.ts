import type { Logger } from '../../log/logger.ts';
import type { Checked, UsersPlan } from '../ipc/plan.ts';
import { Child } from '../master/child.ts';
import { Connections } from '../master/connections.ts';
import { Generation } from '../master/generation.ts';
import { StartPatience } from '../master/start-patience.ts';
import { type Program, startProcess, type StartOptions } from '../master/start-process.ts';
import { Users } from '../master/users.ts';
import { letGo, type SoleClient } from './sole-client.ts';

export interface OneSessionOptions extends Pick<Checked, 'snapshot'> {
  readonly plan: Checked['plan'] & { readonly users: UsersPlan };
  readonly stateDir: string;
  /** Its front has the client at the descriptors behind the channel to this process, in their order. */
  readonly program: Program;
  readonly client: SoleClient;
  readonly log: Logger;
}

/**
 * The process above one session with `isolation: 'user'`. It starts a front for the client, and what stands behind fronts, and ends
 * when all of them have. It reads no octet of the client.
 */
export class OneSession {
  readonly #options: OneSessionOptions;
  readonly #generation: Generation;
  #front: Child | undefined;

  constructor(options: OneSessionOptions) {
    const { plan, log } = options;
    const { blockedTimeoutMs } = plan;
    // One user, whose process is started when he has logged in: most of those who only try cost none.
    const users = new Users({
      plan: { ...plan.users, spares: 0, maxUsers: 1 },
      blockedTimeoutMs,
      sessionsOfUsers: new Map(),
      fork: (role, as) => startProcess(role, { ...childOf(options), as }),
      log,
    });
    this.#options = options;
    this.#generation = new Generation({
      number: 1,
      plan: { ...plan, fronts: 1, listen: [] },
      sockets: [],
      users,
      fork: () => this.#forkFront(),
      connections: new Connections(),
      // Nobody asks what it has come to.
      buried: () => {},
      log,
    });
  }

  /** Resolves when the client is served. Rejects with an Error for the operator, and then nothing is left but the client. */
  async start(): Promise<void> {
    try {
      // What dead processes of others have left is for their next sessions, and whether a user's can begin shows soon.
      await this.#generation.start({
        recovers: false,
        rehearses: false,
        patience: new StartPatience(Infinity),
      });
    } catch (error) {
      await this.stop();
      throw error;
    }
    letGo(this.#options.client);
  }

  /** Resolves when the session is over, and all processes have ended. */
  async drain(): Promise<void> {
    this.#generation.retire();
    await this.#generation.ended;
  }

  /** The same, of a session that a stop ends; called again, at once. */
  async stop(): Promise<void> {
    this.#generation.stop();
    await this.#generation.ended;
  }

  /** Ends all processes at once. */
  kill(): void {
    this.#generation.kill();
  }

  /** Whether its front came to the end that it was to come to, when it has ended. */
  async wentWell(): Promise<boolean> {
    return (await this.#front?.ended)?.exitCode === 0;
  }

  #forkFront(): Child {
    const { plan, log } = this.#options;
    const as = plan.users.front;
    this.#front = Child.start('front', { ...childOf(this.#options), descriptors: [0], as, log });
    return this.#front;
  }
}

const childOf = ({ program, snapshot, stateDir }: OneSessionOptions): StartOptions => ({
  program,
  snapshot,
  stateDir,
});
