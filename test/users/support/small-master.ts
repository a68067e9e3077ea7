import { once } from 'node:events';
import type { Socket } from 'node:net';

import { authReportSchema } from '../../../core/server/user/auth-messages.ts';
import type { CarriedConnectionFacts } from '../../../core/server/user/connection-facts.ts';
import { leavesBehind } from '../../../core/server/user/left-behind.ts';
import { StreamPairs } from '../../../core/server/user/stream-pairs.ts';
import { StreamRecipient } from '../../../core/server/user/stream-recipient.ts';
import type { Assigned } from '../../../core/server/user/user-authority.ts';
import { WorkerPool, type WorkerPoolOptions } from '../../../core/server/user/worker-pool.ts';
import { Child, silent, WorkerChild } from './children.ts';
import { minUid, type Site } from './site.ts';

/** As little of a master as shows how one joins the parts: it reads nothing of what clients say. */
export class SmallMaster {
  readonly auth: Child;
  readonly pool: WorkerPool;
  readonly workers: WorkerChild[] = [];
  /** How many clients a worker was asked for. */
  assigned = 0;
  readonly #pairs: StreamPairs;
  readonly #toAuth: StreamRecipient;

  private constructor(site: Site, parts: Parts) {
    this.auth = parts.auth;
    this.#pairs = parts.pairs;
    this.#toAuth = new StreamRecipient(parts.auth.process);
    const start: WorkerPoolOptions['start'] = () => {
      const child = new WorkerChild(site, parts.idleMs);
      this.workers.push(child);
      return child.worker;
    };
    this.pool = new WorkerPool({
      minUid,
      frontUid: 0,
      leavesBehind: (uid) => leavesBehind(site.stateDir, uid),
      log: silent,
      start,
      ...parts,
    });
  }

  static async start(site: Site, options: Partial<Options> = {}): Promise<SmallMaster> {
    const auth = new Child('auth', site);
    const [report] = await once(auth.process, 'message');
    const { key } = readySchema.parse(report);
    const pairs = await StreamPairs.open(site.folder);
    return new SmallMaster(site, { ...defaults, ...options, auth, pairs, key });
  }

  /** A front's end of a stream to the auth process. */
  async introduceFront(): Promise<Socket> {
    const [ofAuth, ofFront] = await this.#pairs.make();
    await this.#toAuth.give({ kind: 'front' }, ofAuth);
    return ofFront;
  }

  /** What a front asks for when auth has let a client in. */
  assign(ticket: string, facts: CarriedConnectionFacts, lent?: Socket): Promise<Assigned> {
    const assigning = this.pool.assign(ticket, facts, lent);
    this.assigned += 1;
    return assigning;
  }

  /** The worker with this process id. */
  workerOf(pid: number): WorkerChild {
    const found = this.workers.find(({ worker }) => worker.pid === pid);
    if (found === undefined) throw new Error(`process ${pid} is no worker`);
    return found;
  }

  async stop(): Promise<void> {
    await this.pool.stop();
    this.auth.process.disconnect();
    await this.auth.exited;
    this.#pairs.close();
  }
}

const [readySchema] = authReportSchema.options;

interface Options {
  readonly spares: number;
  readonly maxUsers: number;
  readonly patienceMs: number;
  readonly idleMs: number;
  readonly locker?: WorkerPoolOptions['locker'];
  readonly sessionsPerUser?: number;
}

const defaults: Options = { spares: 1, maxUsers: 10, patienceMs: 1000, idleMs: 60_000 };

interface Parts extends Options {
  readonly auth: Child;
  readonly pairs: StreamPairs;
  readonly key: string;
}
