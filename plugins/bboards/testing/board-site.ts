import { readdirSync, readlinkSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { memoryHost, memoryMaildrop, type MemoryMaildrop, TestServer } from 'popperd/testing';

import bboards from '../index.ts';

type Options = Parameters<typeof bboards>[0];

/** A From_ line. */
export const envelope = 'From poster@example.org Sun Mar  8 10:00:00 1992\n';

/** An mbox of these messages, each of which has its last line end. */
export const mboxOf = (...messages: readonly string[]): string =>
  messages.map((message) => `${envelope}${message}\n`).join('');

const login = ['USER mrose', 'PASS secret'];

/** A folder of boards, and a server of users who have two messages each. */
export class BoardSite {
  readonly folder: string;
  readonly server: TestServer;
  /** The users' own maildrops, in the order in which they were opened. */
  readonly opened: MemoryMaildrop[] = [];

  private constructor(folder: string, options: Partial<Options>) {
    this.folder = folder;
    const openOwn = (): MemoryMaildrop => {
      const drop = memoryMaildrop(this.opened.at(-1)?.kept() ?? ['Subject: own\r\n', 'Subject: mine\r\n']);
      this.opened.push(drop);
      return drop;
    };
    const plugins = [bboards({ folder: 'boards', ...options }), memoryHost(openOwn, { mrose: 'secret' })];
    this.server = new TestServer(plugins, { baseFolder: folder });
  }

  /** It is gone when the test is over. */
  static async make(t: TestContext, options: Partial<Options> = {}): Promise<BoardSite> {
    const folder = await mkdtemp(join(tmpdir(), 'popper-bboards-'));
    await mkdir(join(folder, 'boards'));
    const site = new BoardSite(folder, options);
    t.after(async () => {
      await site.server.stop();
      await rm(folder, { recursive: true });
    });
    return site;
  }

  path(name: string): string {
    return join(this.folder, 'boards', name);
  }

  /** Makes a board that all may read, unless told otherwise. */
  async post(name: string, messages: readonly string[], mode = 0o644): Promise<void> {
    await writeFile(this.path(name), mboxOf(...messages), { mode });
  }

  async append(name: string, ...messages: readonly string[]): Promise<void> {
    await appendFile(this.path(name), mboxOf(...messages));
  }

  /** Files of the site that this process has open. */
  openFiles(): readonly string[] {
    const links = readdirSync('/proc/self/fd').map((fd) => readlinkIfThere(`/proc/self/fd/${fd}`));
    return links.filter((path) => path.startsWith(this.folder));
  }

  /** Logs in and says these lines; gives the answers to them. */
  async afterLogin(client: Iterable<string> | AsyncIterable<string>): Promise<readonly string[]> {
    const lines = (async function* () {
      yield* login;
      yield* client;
    })();
    return (await this.server.converse(lines)).slice(login.length + 1);
  }
}

/** The descriptor that the list was read by is gone by then. */
function readlinkIfThere(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
