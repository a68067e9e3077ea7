import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { DatagramReader } from '../../../core/server/testing/datagram-reader.ts';
import { alice, bob, type User } from '../../users/support/site.ts';
import { Daemon } from './daemon.ts';
import { needs, run } from './program.ts';
import { password } from './site.ts';

const root = resolve(import.meta.dirname, '../../..');
const popper = join(root, 'core/bin/popper.js');

/** The example, as it stands in the documentation. */
export const classicConfig = join(root, 'docs/examples/classic.config.ts');

/** Why there can be no classic site here. */
export const skipsClassic =
  process.getuid?.() === 0 ? needs('openssl').skip : 'only root can serve users as themselves';

export interface ClassicSiteOptions {
  /** Whom peer-check asks. */
  readonly nameServer?: string;
}

/** A machine on which the classic popper is served, by the example's configuration in folders of its own. */
export class ClassicSite {
  readonly folder: string;
  readonly syslog: DatagramReader;
  readonly #address: string;
  #daemon: Daemon | undefined;

  private constructor(folder: string, address: string, syslog: DatagramReader) {
    this.folder = folder;
    this.#address = address;
    this.syslog = syslog;
  }

  static async make({ nameServer = '127.0.0.1:9' }: ClassicSiteOptions = {}): Promise<ClassicSite> {
    const folder = await mkdtemp(join(tmpdir(), 'popper-classic-'));
    const address = `@${folder.slice(1).replaceAll('/', '-')}`;
    const site = new ClassicSite(folder, address, await DatagramReader.open(address));
    await chmod(folder, 0o711);
    await site.#makeUsers();
    await site.#makeSendmail();
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    await writeFile(site.configFile, await site.#config(nameServer), { mode: 0o644 });
    return site;
  }

  get configFile(): string {
    return join(this.folder, 'classic.config.ts');
  }

  get bulletins(): string {
    return join(this.folder, 'bulletins');
  }

  /** Starts the daemon with these of the classic popper's flags, and ends the one that was there. */
  async start(...flags: readonly string[]): Promise<Daemon> {
    await this.stop();
    const launcher = ['/bin/sh', '-c', `exec "$@" ${flags.join(' ')}`, 'sh'];
    this.#daemon = await Daemon.start(this.configFile, popper, launcher);
    return this.#daemon;
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop();
    this.#daemon = undefined;
  }

  /** Runs the program to its end, which need not be a good one. */
  run(...words: readonly string[]): ReturnType<typeof run> {
    const fine = [0, 1, 2];
    return run(process.execPath, [popper, '-c', this.configFile, ...words], { home: this.folder, fine });
  }

  homeOf({ name }: User): string {
    return join(this.folder, 'home', name);
  }

  mboxOf({ name }: User): string {
    return join(this.folder, 'spool', name);
  }

  /** Mail as a Debian spool has it. */
  async deliver(user: User, mbox: Buffer): Promise<void> {
    await writeFile(this.mboxOf(user), mbox, { mode: 0o600 });
    await chown(this.mboxOf(user), user.uid, mailGroup);
    await chmod(this.mboxOf(user), 0o660);
  }

  /** A file of the operator's, such as a bulletin, that everybody may read. */
  async putBulletin(name: string, text: string): Promise<void> {
    await writeFile(join(this.bulletins, name), text, { mode: 0o644 });
  }

  /** What sendmail was run with: its arguments, and then what it was given. */
  sent(): Promise<string> {
    return readFile(join(this.folder, 'sent', 'mail'), 'latin1');
  }

  async end(): Promise<void> {
    await this.stop();
    await this.syslog.close();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 50 });
  }

  /** The example with other places for what it names, and ports that are free. */
  async #config(nameServer: string): Promise<string> {
    const port = "host: '127.0.0.1', port: 0";
    const proxied = `{ ${port}, proxy: { from: ['127.0.0.1'] } }`;
    return replaceAll(await readFile(classicConfig, 'utf8'), [
      ['[{ port: 110 }, { port: 109 }]', `[{ ${port} }, { ${port} }, ${proxied}]`],
      ["'/var/lib/popper'", "'state'"],
      ["isolation: 'user'", "isolation: 'user', user: 'nobody', fronts: 1, workers: { spares: 1 }"],
      ['authShadow()', "authShadow({ passwd: 'etc-passwd', shadow: 'etc-shadow' })"],
      ["'/var/mail/{user}'", "'spool/{user}'"],
      ["{ kind: 'sendmail' }", `{ kind: 'sendmail', command: '${join(this.folder, 'sendmail')}' }`],
      ['peerCheck()', `peerCheck({ servers: ['${nameServer}'] })`],
      ['logSyslog({', `logSyslog({ to: '${this.#address}',`],
    ]);
  }

  async #makeUsers(): Promise<void> {
    const hash = spawnSync('openssl', ['passwd', '-6', password], { encoding: 'utf8' }).stdout.trim();
    const [passwd, shadow] = [join(this.folder, 'etc-passwd'), join(this.folder, 'etc-shadow')];
    const people = [alice, bob];
    const lines = people.map(
      (user) => `${user.name}:x:${user.uid}:${user.gid}::${this.homeOf(user)}:/bin/sh\n`,
    );
    await writeFile(passwd, lines.join(''), { mode: 0o644 });
    const hashes = people.map(({ name }) => `${name}:${hash}:20000:0:99999:7:::\n`);
    await writeFile(shadow, hashes.join(''), { mode: 0o600 });
    for (const name of ['spool', 'home', 'bulletins', 'sent']) await mkdir(join(this.folder, name));
    await chown(join(this.folder, 'spool'), 0, mailGroup);
    await chmod(join(this.folder, 'spool'), 0o2775);
    await chmod(join(this.folder, 'sent'), 0o1777);
    for (const user of people) {
      await mkdir(this.homeOf(user), { mode: 0o700 });
      await chown(this.homeOf(user), user.uid, user.gid);
    }
  }

  async #makeSendmail(): Promise<void> {
    const file = join(this.folder, 'sendmail');
    await writeFile(file, `#!/bin/sh\n{ echo "$@"; cat; } > ${join(this.folder, 'sent', 'mail')}\n`);
    await chmod(file, 0o755);
  }
}

const mailGroup = Number(spawnSync('getent', ['group', 'mail'], { encoding: 'utf8' }).stdout.split(':')[2]);

function replaceAll(text: string, changes: readonly (readonly [string, string])[]): string {
  return changes.reduce((changed, [from, to]) => {
    if (!changed.includes(from)) throw new Error(`the example no longer has ${from}`);
    return changed.replace(from, to);
  }, text);
}
