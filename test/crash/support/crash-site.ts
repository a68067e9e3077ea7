import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { z } from 'zod';

import type { Daemon } from '../../e2e/support/daemon.ts';
import { Pop3Client } from '../../e2e/support/pop3-client.ts';
import { makeSite, type Site } from '../../e2e/support/site.ts';
import { planPathOf } from './fault-gate.ts';
import type { Listing } from './judge.ts';
import { type Letters, letters, patterns } from './letters.ts';
import { type FileCall, fileCall, type Plan } from './plan.ts';

export interface CrashSiteOptions {
  /** Where mail lies; by default in the site's folder. */
  readonly spool?: string;
  readonly stateDir?: string;
}

/** What a client was told in a session that ended with QUIT. */
export interface Told {
  readonly uids: readonly string[];
  /** The answer to QUIT; undefined if the connection ended without one. */
  readonly answer: string | undefined;
}

/** A spool, and a daemon over it whose files go wrong as planned. */
export class CrashSite {
  readonly spool: string;
  readonly stateDir: string;
  readonly folder: string;
  readonly #site: Site;
  #daemon: Daemon | undefined;

  private constructor(site: Site, options: CrashSiteOptions) {
    this.#site = site;
    this.folder = site.folder;
    this.spool = options.spool ?? join(site.folder, 'spool');
    this.stateDir = options.stateDir ?? join(site.folder, 'state');
  }

  /** Makes one, whose daemon is not started. */
  static async make(t: TestContext, options: CrashSiteOptions = {}): Promise<CrashSite> {
    const { spool = 'spool', stateDir = 'state' } = options;
    // Small steps, so that a deletion has many; a short wait, so that a lock that nobody lets go is soon a failure.
    const store = { spool: `${spool}/{user}`, chunkOctets: 16 * 1024, lockTimeoutMs: 2000 };
    const config = { stateDir, plugins: [[faultyStore, store]] };
    const site = await makeSite(t, { config });
    await mkdir(dirname(planPathOf(site.folder, 'any')));
    return new CrashSite(site, options);
  }

  get daemon(): Daemon {
    if (this.#daemon === undefined) throw new Error('no daemon was started');
    return this.#daemon;
  }

  /** Starts the daemon, after the end of the one before. */
  async restart(): Promise<void> {
    await this.#daemon?.kill();
    this.#daemon = await this.#site.start();
  }

  /** Starts a daemon that is planned to die before it serves; answers whether it did. */
  async startToDie(): Promise<boolean> {
    await this.#daemon?.kill();
    try {
      this.#daemon = await this.#site.start();
      return false;
    } catch (error) {
      if (error instanceof Error && error.message.includes('SIGKILL')) return true;
      throw error;
    } finally {
      await this.#forgetPlan('recovery');
    }
  }

  /** Waits until all is there that a daemon makes once: the reserve beside its first session, a note at its first deletion. */
  async reserved(user: string): Promise<void> {
    await this.put(user, letters);
    await this.visit(user, [0]);
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const names = await readdir(this.#reserveFolder).catch(() => []);
      if (names.some((name) => name.startsWith('reserve-'))) return;
      await delay(20);
    }
    throw new Error(`no reserve was made:\n${this.daemon.said}`);
  }

  /** As if it had never been made. */
  async forgetReserve(): Promise<void> {
    await rm(this.#reserveFolder, { recursive: true, force: true });
  }

  mboxOf(user: string): string {
    return join(this.spool, user);
  }

  readMbox(user: string): Promise<Buffer> {
    return readFile(this.mboxOf(user));
  }

  async put(user: string, mail: Letters): Promise<void> {
    await writeFile(this.mboxOf(user), Buffer.concat(mail), { mode: 0o600 });
  }

  async remove(user: string): Promise<void> {
    await rm(this.mboxOf(user), { force: true });
  }

  /** What is to go wrong for this user the next time. */
  async plan(user: string, plan: Plan): Promise<void> {
    await writeFile(planPathOf(this.folder, user), JSON.stringify(plan));
  }

  /** Logs in, marks, and quits. */
  async visit(user: string, marked: readonly number[]): Promise<Told> {
    const client = await this.#logIn(user);
    const uids = await uidsOf(client);
    for (const index of marked) await client.ask(`DELE ${index + 1}`);
    client.send('QUIT\r\n');
    const answer = await client.line();
    client.destroy();
    await this.#forgetPlan(user);
    return { uids, answer };
  }

  /** Logs in where the login itself may be what goes wrong; answers whether the session came to its end. */
  async tryVisit(user: string): Promise<boolean> {
    const client = await Pop3Client.connect(this.daemon.where);
    for (const command of [`USER ${user}`, 'PASS any', 'QUIT']) client.send(`${command}\r\n`);
    const said = (await client.rest()).toString('latin1');
    client.destroy();
    await this.#forgetPlan(user);
    return said.endsWith('+OK bye\r\n');
  }

  /** Logs in, looks at everything, and quits; `loginMs` is how long the daemon took to let it in. */
  async look(user: string): Promise<{ readonly listing: Listing; readonly loginMs: number }> {
    const startMs = performance.now();
    const client = await this.#logIn(user);
    const loginMs = performance.now() - startMs;
    const uids = await uidsOf(client);
    const fetched: Buffer[] = [];
    for (const index of uids.keys()) fetched.push(await client.askOctets(`RETR ${index + 1}`));
    await client.quit();
    return { listing: { uids, fetched }, loginMs };
  }

  /** The file-changing calls of a user's planned moment, as the daemon's log has them. */
  async callsOf(user: string): Promise<readonly FileCall[]> {
    const record = await this.daemon.logged((one) => one.msg === 'file calls' && one['user'] === user);
    return z.array(fileCall).parse(record['calls']);
  }

  /** Counts the calls of an update in which nothing goes wrong; `isKnown` says that the user was there before. */
  async count(user: string, patternName: string, isKnown: boolean): Promise<readonly FileCall[]> {
    await this.put(user, letters);
    if (isKnown) await this.visit(user, []);
    await this.plan(user, { moment: 'update' });
    await this.visit(user, patterns[patternName] ?? []);
    return await this.callsOf(user);
  }

  get #reserveFolder(): string {
    return join(this.stateDir, String(process.getuid?.() ?? 0), 'reserve');
  }

  async #forgetPlan(user: string): Promise<void> {
    await rm(planPathOf(this.folder, user), { force: true });
  }

  async #logIn(user: string): Promise<Pop3Client> {
    return Pop3Client.loggedIn(this.daemon.where, user, 'any');
  }
}

const faultyStore = join(import.meta.dirname, 'faulty-store.ts');

async function uidsOf(client: Pop3Client): Promise<readonly string[]> {
  return (await client.askLines('UIDL')).map((line) => line.split(' ')[1] ?? '');
}
