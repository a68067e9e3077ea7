import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { inspect } from 'node:util';

import { granted, type Identity } from 'popperd';
import { MemoryState, testPlugin, TestServer } from 'popperd/testing';

import bulletins from '../index.ts';
import { MemorySpool } from './memory-spool.ts';

type BulletinOptions = Partial<NonNullable<Parameters<typeof bulletins>[0]>>;

interface SiteOptions {
  readonly options?: BulletinOptions;
  readonly canAppend?: boolean;
}

/** A server with a folder of bulletins, and users who have homes and mail. Everybody may log in. */
export class BulletinSite {
  readonly folder: string;
  spool: MemorySpool;
  readonly state = new MemoryState();
  readonly #options: BulletinOptions;
  server: TestServer;

  private constructor(folder: string, { options = {}, canAppend = true }: SiteOptions) {
    this.folder = folder;
    this.spool = new MemorySpool(canAppend);
    this.#options = options;
    this.server = this.#start();
  }

  static async make(t: TestContext, options: SiteOptions = {}): Promise<BulletinSite> {
    const folder = await mkdtemp(join(tmpdir(), 'popper-bulletins-'));
    await mkdir(join(folder, 'bulletins'));
    const site = new BulletinSite(folder, options);
    t.after(async () => {
      await site.server.stop();
      await rm(folder, { recursive: true });
    });
    return site;
  }

  /** Another process, with these options besides. */
  restart(options: BulletinOptions = {}): void {
    this.server = this.#start(options);
  }

  /** A file in the folder, well formed unless its text is given. */
  async put(name: string, text: string = bulletinText(name)): Promise<void> {
    await writeFile(this.pathOf(name), text, 'latin1');
    await chmod(this.pathOf(name), 0o644);
  }

  pathOf(name: string): string {
    return join(this.folder, 'bulletins', name);
  }

  async makeHome(user: string): Promise<string> {
    await mkdir(this.homeOf(user), { recursive: true });
    return join(this.homeOf(user), '.popbull');
  }

  homeOf(user: string): string {
    return join(this.folder, 'homes', user);
  }

  /** A session that says this after the login, and QUIT: the answers to it. */
  async session(user: string, ...commands: readonly string[]): Promise<readonly string[]> {
    const said = await this.server.converse([`USER ${user}`, 'PASS any', ...commands, 'QUIT']);
    return said.slice(3);
  }

  /** The subjects of all messages that a user has, in their order. */
  async subjects(user: string): Promise<readonly string[]> {
    const [stat = ''] = await this.session(user, 'STAT');
    const count = Number(/^\+OK (\d+)/.exec(stat)?.[1]);
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    const said = await this.session(user, ...numbers.map((number) => `RETR ${number}`));
    return said.flatMap((line) => /^Subject: (.*)$/.exec(line)?.[1] ?? []);
  }

  /** What a user's counter in the state folder says. */
  async counterOf(user: string): Promise<string> {
    const { uid } = identityAt(this, user);
    return readFile(join(this.state.folderOfUid(uid), 'bulletins', user, '.popbull'), 'latin1');
  }

  get logged(): string {
    return this.server.log
      .map(({ message, fields }) => `${message} ${inspect(fields, { breakLength: Infinity })}`)
      .join('\n');
  }

  #start(more: BulletinOptions = {}): TestServer {
    const host = testPlugin('site', ({ hooks }) => {
      hooks.authenticate.tapPromise('site', async ({ user }) => granted(identityAt(this, user)));
      hooks.openMaildrop.tapPromise('site', async (identity) => this.spool.open(identity));
    });
    const given = { folder: 'bulletins', host: 'mail.example.org', ...this.#options, ...more };
    const options = { state: this.state, baseFolder: this.folder };
    return new TestServer([host, bulletins(given)], options);
  }
}

const identityAt = (site: BulletinSite, user: string): Identity => ({
  user,
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
  home: site.homeOf(user),
});

export const fromLine = 'From postmaster Mon Nov  2 10:00:00 2026\n';

/** Its subject is its name. */
export const bulletinText = (name: string, fields = ''): string =>
  `${fromLine}From: postmaster@example.org\nTo: everybody\n${fields}Subject: ${name}\n\nHello all.\n`;
