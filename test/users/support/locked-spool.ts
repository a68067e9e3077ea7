import type { ChildProcess } from 'node:child_process';
import { chmod, chown, readdir, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { loggerTo, type LogRecord } from '../../../core/log/logger.ts';
import { LockerKeeper } from '../../../core/server/master/locker-keeper.ts';
import { StartPatience } from '../../../core/server/master/start-patience.ts';
import { LockerClient } from '../../../core/server/user/locker-client.ts';
import { makeLockersFolder } from '../../../core/server/user/own-folder.ts';
import { groupMail } from '../../../core/server/user/privileges.ts';
import { StreamPairs } from '../../../core/server/user/stream-pairs.ts';
import { Child } from './children.ts';
import { Site, type User } from './site.ts';

/** Debian's group mail, and a user for the locker that nobody in /etc/passwd needs to know. */
export const mailGid = groupMail() ?? 8;
export const popper = { uid: 2900, gid: mailGid };

/** A spool as Debian has it, `root:mail 2775` with mboxes `user:mail 0660`, and a locker that a master keeps. */
export class LockedSpool {
  readonly site: Site;
  readonly pairs: StreamPairs;
  readonly logged: LogRecord[] = [];
  readonly keeper: LockerKeeper;
  readonly lockers: Child[] = [];
  readonly #workers: Borrower[] = [];

  private constructor(site: Site, pairs: StreamPairs) {
    this.site = site;
    this.pairs = pairs;
    this.keeper = new LockerKeeper({
      fork: () => this.#fork(),
      pairs,
      blockedTimeoutMs: 10_000,
      log: loggerTo((record) => void this.logged.push(record)),
    });
  }

  static async make({ hasLocker = true } = {}): Promise<LockedSpool> {
    const site = await Site.make();
    await chown(site.spool, 0, mailGid);
    await chmod(site.spool, 0o2775);
    const spool = new LockedSpool(site, await StreamPairs.open(site.folder));
    if (!hasLocker) return spool;
    makeLockersFolder(site.stateDir, mailGid);
    await spool.keeper.start(new StartPatience(Infinity));
    spool.keeper.clear();
    return spool;
  }

  /** As a delivery agent makes it. */
  async deliver(user: User, mbox = ''): Promise<string> {
    await this.site.deliver(user, mbox);
    await chown(this.site.mboxOf(user), user.uid, mailGid);
    await chmod(this.site.mboxOf(user), 0o660);
    return this.site.mboxOf(user);
  }

  get locker(): Child {
    const locker = this.lockers.at(-1);
    if (locker === undefined) throw new Error('no locker has been started');
    return locker;
  }

  /** What a worker of this uid would have, in this process. */
  worker(uid: number): Borrower {
    const borrower = new Borrower();
    this.#workers.push(borrower);
    this.keeper.introduce(borrower, uid);
    return borrower;
  }

  /** Names in the spool, but for mailboxes. */
  async locks(): Promise<readonly string[]> {
    return (await readdir(this.site.spool)).filter((name) => name.includes('lock')).toSorted();
  }

  /** Resolves when the spool has these locks and no others. */
  async hasLocks(...names: readonly string[]): Promise<void> {
    await until(async () => String(await this.locks()) === String(names), `locks ${names.join(' ')}`);
  }

  async killLocker(): Promise<ChildProcess> {
    const { process: child, exited } = this.locker;
    child.kill('SIGKILL');
    await exited;
    return child;
  }

  async dispose(): Promise<void> {
    for (const worker of this.#workers) worker.die();
    this.keeper.stop();
    await this.keeper.ended;
    this.pairs.close();
    await rm(this.site.folder, { recursive: true });
  }

  #fork(): ChildProcess {
    const locker = new Child('locker', this.site, { as: popper });
    this.lockers.push(locker);
    return locker.process;
  }
}

/** A worker's end of its stream to the locker. */
class Borrower {
  readonly client = new LockerClient();
  readonly #over = Promise.withResolvers<void>();
  readonly ended = this.#over.promise;
  readonly #met = Promise.withResolvers<void>();
  /** Resolves when it has met a locker. */
  readonly met = this.#met.promise;
  stream: Socket | undefined;
  /** It says nothing when it is introduced to a locker, until `greet` is called. */
  hangs = false;

  async meetLocker(stream: Socket): Promise<void> {
    this.stream = stream;
    if (!this.hangs) this.greet();
  }

  greet(): void {
    if (this.stream !== undefined) this.client.meet(this.stream);
    this.#met.resolve();
  }

  tryLock(path: string): ReturnType<LockerClient['tryLock']> {
    return this.client.tryLock('dotlock', path);
  }

  die(): void {
    this.stream?.destroy();
    this.#over.resolve();
  }
}

export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  maxTries = 3000,
): Promise<void> {
  for (let tries = 0; !(await isSo()); tries += 1) {
    if (tries > maxTries) throw new Error(`never: ${what}`);
    await delay(10);
  }
}
