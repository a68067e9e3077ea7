import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import type { Identity, Peer } from 'popperd';
import { memoryHost, memoryMaildrop, TestServer } from 'popperd/testing';

import rpop from '../index.ts';
import { clientsFrom } from './clients-from.ts';

type Options = Parameters<typeof rpop>[0];

/** A machine whose administrator is trusted, and a port that only he has. */
export const trusted: Peer = { address: '192.0.2.7', port: 1023 };

export interface Site {
  readonly folder: string;
  readonly server: TestServer;
  /** Who has been let in. */
  readonly opened: readonly Identity[];
  /** The answer to RPOP, and what was logged meanwhile. */
  readonly rpop: (
    user: string,
    clientUser: string,
  ) => Promise<{ readonly answer: string; readonly log: string }>;
}

/** mrose, with this .rhosts file in his home, root, and a user with a password, secret; clients come from there. */
export async function siteOf(
  t: TestContext,
  rhosts: string,
  { peer = trusted, options = {} }: { readonly peer?: Peer; readonly options?: Partial<Options> } = {},
): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'popper-rpop-'));
  const home = join(folder, 'mrose');
  await mkdir(home);
  await writeFile(join(home, '.rhosts'), rhosts, { mode: 0o644 });
  if (process.getuid?.() === 0) await chown(join(home, '.rhosts'), uid, uid);
  const lines = [
    `root:x:0:0::${home}:/bin/sh`,
    `mrose:x:${uid}:1001::${home}:/bin/sh`,
    `homeless:x:${uid}:1001::${join(folder, 'nowhere')}:/bin/sh`,
    'broken:x:a:b::/:',
  ];
  await writeFile(join(folder, 'passwd'), `${lines.join('\n')}\n`);
  const opened: Identity[] = [];
  const host = memoryHost(
    (identity) => {
      opened.push(identity);
      return memoryMaildrop(['a\r\n']);
    },
    { mrose: 'secret' },
  );
  const all = {
    from: ['192.0.2.0/24'],
    passwd: 'passwd',
    servers: ['127.0.0.1:1'],
    timeoutMs: 500,
    ...options,
  };
  const server = new TestServer([host, clientsFrom(peer, rpop(all))], { baseFolder: folder });
  t.after(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });
  return {
    folder,
    server,
    opened,
    async rpop(user, clientUser) {
      const before = server.log.length;
      const said = await server.converse([`USER ${user}`, `RPOP ${clientUser}`, 'QUIT']);
      return { answer: said[2] ?? '', log: JSON.stringify(server.log.slice(before)) };
    },
  };
}

/** Whose files the tests make: root's tests make another user's. */
export const uid = process.getuid?.() === 0 ? 2001 : (process.getuid?.() ?? 1000);
