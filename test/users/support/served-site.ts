import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Daemon } from '../../e2e/support/daemon.ts';
import { childrenOf, titleOf } from '../../e2e/support/fronts.ts';
import { Pop3Client } from '../../e2e/support/pop3-client.ts';
import { run } from '../../e2e/support/program.ts';
import { password } from '../../e2e/support/site.ts';
import { Site, type User } from './site.ts';

/** Whom fronts run as in these tests: an account that every system has, and that owns nothing. */
export const frontUser = { name: 'nobody', uid: 65_534 };

const popper = join(import.meta.dirname, '../../../core/bin/popper.js');

/** Tells what each process can open, who it is, and what it knows of a client. */
export const burglar = join(import.meta.dirname, 'burglar.ts');

/** Hangs in the recovery of one user. */
export const hanger = join(import.meta.dirname, 'hanger.ts');

export interface ServedOptions {
  /** Goes over the configuration that all such sites have. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** In the place of auth-passwd and the file that it reads. */
  readonly logins?: readonly unknown[];
  /** Plugins besides. */
  readonly plugins?: readonly unknown[];
}

/** A site that `popper serve` serves as root, with a password file for users whom no other file knows. */
export class ServedSite {
  readonly site: Site;
  readonly configFile: string;
  daemon: Daemon | undefined;
  readonly #options: ServedOptions;

  private constructor(site: Site, options: ServedOptions) {
    this.site = site;
    this.configFile = join(site.folder, 'popper.config.json');
    this.#options = options;
  }

  /** Makes it; nobody serves it yet. */
  static async make(users: readonly User[], options: ServedOptions = {}): Promise<ServedSite> {
    const served = new ServedSite(await Site.make(), options);
    const lines = users.map(
      ({ name, uid, gid }) => `${name}:{PLAIN}${password}:${uid}:${gid}::/home/${name}::\n`,
    );
    await writeFile(join(served.site.folder, 'passwd'), lines.join(''), { mode: 0o600 });
    await served.configure(options.config);
    return served;
  }

  /** Writes the configuration, with these keys in the place of what it has. */
  async configure(config: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const { logins = ['auth-passwd', { file: 'passwd' }], plugins = [] } = this.#options;
    const store = ['store-mbox', { spool: join(this.site.spool, '{user}'), lockMethods: ['fcntl'] }];
    const whole = {
      listen: [{ host: '127.0.0.1', port: 0 }],
      stateDir: 'state',
      isolation: 'user',
      user: frontUser.name,
      fronts: 2,
      workers: { spares: 1 },
      log: { format: 'json' },
      plugins: [logins, store, ...plugins],
      ...config,
    };
    await writeFile(this.configFile, JSON.stringify(whole));
    // Fronts are given what it says.
    await chmod(this.configFile, 0o600);
  }

  /** `launcher` is a program that becomes the daemon, with its arguments. */
  async start(launcher: readonly string[] = []): Promise<Daemon> {
    this.daemon = await Daemon.start(this.configFile, popper, launcher);
    return this.daemon;
  }

  get running(): Daemon {
    if (this.daemon === undefined) throw new Error('nobody serves it');
    return this.daemon;
  }

  /** What `popper` says to an operator who asks the daemon. */
  async ask(...words: readonly string[]): Promise<string> {
    const args = [popper, ...words, '-c', this.configFile];
    const { stdout } = await run(process.execPath, args, { home: this.site.folder, fine: [0, 1] });
    return stdout.toString();
  }

  logIn(user: User): Promise<Pop3Client> {
    return Pop3Client.loggedIn(this.running.where, user.name, password);
  }

  /** The answer to PASS, and the client who has got it. */
  async tryToLogIn(
    user: Pick<User, 'name'>,
  ): Promise<{ readonly client: Pop3Client; readonly answer: string }> {
    const client = await Pop3Client.connect(this.running.where);
    await client.line();
    await client.ask(`USER ${user.name}`);
    return { client, answer: await client.say(`PASS ${password}`) };
  }

  /** The daemon's processes whose titles are like that. */
  async pidsOf(title: RegExp): Promise<readonly number[]> {
    const children = await childrenOf(this.running);
    const titles = await Promise.all(children.map((pid) => titleOf(pid).catch(() => '')));
    return children.filter((_, index) => title.test(titles[index] ?? ''));
  }

  /** The processes with this uid. */
  async workersOf({ uid }: User): Promise<readonly number[]> {
    const children = await childrenOf(this.running);
    const statuses = await Promise.all(
      children.map((pid) => readFile(`/proc/${pid}/status`, 'latin1').catch(() => '')),
    );
    return children.filter((_, index) => new RegExp(`^Uid:\\t${uid}\\t`, 'm').test(statuses[index] ?? ''));
  }

  /** What a process that died in the middle of a deletion might have left. */
  async leaveHalfDone({ uid, gid }: User): Promise<void> {
    const folder = join(this.site.stateDir, String(uid));
    await mkdir(join(folder, 'journals'), { recursive: true });
    await writeFile(join(folder, 'journals', 'some.j'), 'x'.repeat(5000));
    for (const path of ['', 'journals', 'journals/some.j']) await chown(join(folder, path), uid, gid);
  }

  /** Mail as a Debian spool has it: the group is mail's. */
  async deliverForMail(user: User, mbox: Buffer, mailGid: number): Promise<void> {
    await this.site.deliver(user, mbox);
    await chown(this.site.mboxOf(user), user.uid, mailGid);
    await chmod(this.site.mboxOf(user), 0o660);
  }

  /** Ends the daemon as an operator does, and removes everything. Gives the exit code. */
  async end(): Promise<number | NodeJS.Signals | undefined> {
    const exit = await this.daemon?.stop();
    await this.site.remove();
    return exit;
  }
}
