import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { Daemon } from './daemon.ts';
import { Pop3Client, type Where } from './pop3-client.ts';

/** Every user's password. */
export const password = 'correct horse';

/** One user's mail on a site of its own: a folder with configuration, password file, spool and state, all temporary. */
export interface Site {
  readonly folder: string;
  readonly configFile: string;
  /** Where a user's mbox lies. */
  mboxOf(user: string): string;
  /**
   * Starts a daemon over this site; it ends with the test. Without a port it takes any that is free. `launcher` is a program
   * that becomes the daemon, with its arguments.
   */
  start(port?: number, launcher?: readonly string[]): Promise<Daemon>;
}

export interface SiteOptions {
  readonly users?: readonly string[];
  /** Goes over the configuration that all sites have; paths in it are relative to the site's folder. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Options of the mbox store, besides where the mail lies. */
  readonly store?: Readonly<Record<string, unknown>>;
}

/** Makes one. It goes, and every daemon over it, when the test ends. */
export async function makeSite(t: TestContext, options: SiteOptions = {}): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'popper-e2e-'));
  const daemons: Daemon[] = [];
  t.after(async () => {
    await Promise.all(daemons.map((daemon) => daemon.kill()));
    // Fronts whose master was killed are at their last words.
    await rm(folder, { recursive: true, force: true, maxRetries: 50 });
  });
  await mkdir(join(folder, 'spool'), { mode: 0o755 });
  const configFile = join(folder, 'popper.config.json');
  await writeFile(join(folder, 'passwd'), passwordFile(options.users ?? ['alice']), { mode: 0o600 });
  return {
    folder,
    configFile,
    mboxOf: (user) => join(folder, 'spool', user),
    async start(port = 0, launcher = []) {
      await writeFile(configFile, JSON.stringify(configOf(folder, port, options)), { mode: 0o600 });
      const daemon = await Daemon.start(configFile, undefined, launcher);
      daemons.push(daemon);
      return daemon;
    },
  };
}

/** A session of alice. */
export const logIn = (where: Where, user = 'alice'): Promise<Pop3Client> =>
  Pop3Client.loggedIn(where, user, password);

/** The mbox as it lies there; empty where there is none. */
export const readMbox = (site: Site, user = 'alice'): Promise<Buffer> =>
  readFile(site.mboxOf(user)).catch(() => Buffer.alloc(0));

const configOf = (folder: string, port: number, { config, store }: SiteOptions): unknown => ({
  listen: [{ host: '127.0.0.1', port }],
  stateDir: 'state',
  log: { format: 'json' },
  fronts: 1,
  plugins: [
    ['auth-passwd', { file: 'passwd' }],
    ['store-mbox', { spool: join(folder, 'spool/{user}'), ...store }],
  ],
  ...config,
});

/** A password file in which all users have that password. */
export const passwordFile = (users: readonly string[]): string =>
  users.map((user) => `${user}:{PLAIN}${password}\n`).join('');
