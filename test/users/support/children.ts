import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { loggerTo } from '../../../core/log/logger.ts';
import { accountKeyOf, newKey, toldKey } from '../../../core/server/user/ticket.ts';
import { WorkerProcess } from '../../../core/server/user/worker-process.ts';
import type { Site } from './site.ts';

interface ChildOptions {
  readonly idleMs?: number;
  /** Whom it is from its first instruction on. */
  readonly as?: { readonly uid: number; readonly gid: number };
}

/** A process of the test's daemon, started as a master starts it. */
export class Child {
  readonly process: ChildProcess;
  readonly exited: Promise<unknown>;
  stderr = '';

  constructor(role: 'auth' | 'worker' | 'locker', site: Site, { idleMs = 60_000, as }: ChildOptions = {}) {
    const args = [role, site.stateDir, site.spool, String(idleMs)];
    this.process = fork(join(import.meta.dirname, 'role.ts'), args, {
      execArgv: ['--conditions=popper-source', '--disable-sigusr1'],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      ...(as && { uid: as.uid, gid: as.gid, cwd: '/' }),
    });
    this.exited = once(this.process, 'exit');
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }
}

/** A child that is to be a worker, by itself. */
export class WorkerChild extends Child {
  readonly worker: WorkerProcess;
  /** Of the process that checks passwords. */
  readonly key = newKey();

  constructor(site: Site, idleMs?: number, endingMs?: number) {
    super('worker', site, idleMs === undefined ? {} : { idleMs });
    const settings = { log: silent, blockedTimeoutMs: 60_000, ...(endingMs !== undefined && { endingMs }) };
    this.worker = new WorkerProcess(this.process, settings);
  }

  async become({ uid, gid }: { uid: number; gid: number }): Promise<void> {
    await this.worker.loaded;
    await this.worker.begin({
      kind: 'become',
      uid,
      gid,
      keys: [toldKey(accountKeyOf({ uid, gid }, this.key))],
    });
  }
}

export const silent = loggerTo(() => {});
