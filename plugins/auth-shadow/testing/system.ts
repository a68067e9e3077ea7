import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import type { Identity } from 'popperd';
import { memoryHost, memoryMaildrop, TestServer } from 'popperd/testing';

import authShadow from '../index.ts';

interface System {
  readonly folder: string;
  readonly server: TestServer;
  /** Who has logged in. */
  readonly opened: readonly Identity[];
  /** The answer to the PASS of a login. */
  readonly login: (user: string, password: string) => Promise<string>;
  /** Everything logged so far, as one text. */
  readonly log: () => string;
}

type Options = NonNullable<Parameters<typeof authShadow>[0]>;

/** A server whose users are those of these files, which lie in the server's folder and are called as in /etc. */
export async function systemOf(
  t: TestContext,
  files: Readonly<Record<'passwd' | 'shadow', string>> & { readonly shells?: string },
  options: Options = {},
): Promise<System> {
  const folder = await mkdtemp(join(tmpdir(), 'auth-shadow-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text, { mode: name === 'shadow' ? 0o600 : 0o644 });
  }
  const names = { passwd: 'passwd', shadow: 'shadow', shells: 'shells' };
  return { folder, ...serverOf(t, { ...names, ...options }, folder) };
}

/** A server with these options. */
export function serverOf(t: TestContext, options: Options, baseFolder = '/'): Omit<System, 'folder'> {
  const opened: Identity[] = [];
  const store = memoryHost((identity) => {
    opened.push(identity);
    return memoryMaildrop([]);
  }, {});
  const server = new TestServer([authShadow(options), store], { baseFolder });
  t.after(() => server.stop());
  const login = async (user: string, password: string): Promise<string> =>
    (await server.converse([`USER ${user}`, `PASS ${password}`, 'QUIT']))[2] ?? '';
  return { server, opened, login, log: () => JSON.stringify(server.log) };
}
