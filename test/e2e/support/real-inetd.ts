import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { ConnectionLost, Pop3Client, type TcpAddress } from './pop3-client.ts';
import { popper } from './small-inetd.ts';

/** Where daemons lie, an ordinary user's PATH does not look. */
const path = `${process.env['PATH']}:/usr/sbin:/sbin`;

export interface RealInetdOptions {
  /** For inetd's own configuration. */
  readonly folder: string;
  /** popper's. */
  readonly configFile: string;
  /** Whom it starts popper as. */
  readonly user?: string;
}

const example = join(import.meta.dirname, '../../../docs/examples/inetd/inetd.conf');

/**
 * Starts openbsd-inetd with the first line of the example, on 127.0.0.1, with paths and user as they are here; it ends with the
 * test. Resolves when clients can come.
 */
export async function startInetd(
  t: TestContext,
  { folder, configFile, user = userInfo().username }: RealInetdOptions,
): Promise<TcpAddress> {
  const where = { host: '127.0.0.1', port: await freePort() };
  const file = join(folder, 'inetd.conf');
  const line = /^pop3\t.*$/m.exec(await readFile(example, 'utf8'))?.[0] ?? '';
  const here = line
    .replace('pop3', `127.0.0.1:${where.port}`)
    .replace('root', user)
    .replace('/opt/popper/node_modules/.bin/node', process.execPath)
    .replace('/opt/popper/node_modules/.bin/popper', popper)
    .replace('/etc/popper/popper.config.yaml', configFile);
  await writeFile(file, `${here}\n`);
  const child = spawn('inetd', ['-i', file], { stdio: 'ignore', env: { PATH: path } });
  await untilServed(t, child, where);
  return where;
}

/** Starts systemd-socket-activate, which needs no systemd, with these arguments. `address` is where it is to listen. */
export async function startActivation(
  t: TestContext,
  args: (where: TcpAddress) => readonly string[],
): Promise<TcpAddress> {
  const where = { host: '127.0.0.1', port: await freePort() };
  const child = spawn('systemd-socket-activate', args(where), { stdio: 'ignore', env: { PATH: path } });
  await untilServed(t, child, where);
  return where;
}

/** Tries until a greeting comes: the one who is greeted leaves as he should. */
async function untilServed(t: TestContext, child: ChildProcess, where: TcpAddress): Promise<void> {
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  const ended = exited.then(() => Promise.reject(new Error(`${child.spawnfile} has ended`)));
  await Promise.race([greeted(where), ended]);
  ended.catch(() => {});
}

async function greeted(where: TcpAddress): Promise<void> {
  for (;;) {
    try {
      const client = await Pop3Client.connect(where);
      await client.line();
      await client.quit();
      return;
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      await delay(20);
    }
  }
}

/** Free a moment ago, and hardly taken by another since. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}
