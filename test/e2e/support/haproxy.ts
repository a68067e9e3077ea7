import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { ConnectionLost, Pop3Client, type TcpAddress } from './pop3-client.ts';

/** A HAProxy in front of a daemon; it ends with the test. */
export interface HaProxy {
  /** Where its clients connect to. */
  readonly where: TcpAddress;
  /** What its health check has come to, as it says itself: `L7OK`. */
  checkStatus(): Promise<string>;
}

interface Options {
  /** Where its files are. */
  readonly folder: string;
  readonly daemon: TcpAddress;
  /** What its configuration says of the daemon as a server: `send-proxy-v2`. */
  readonly server: string;
}

/** Starts one, on 127.0.0.1, whose health check reads the greeting and says QUIT. */
export async function startHaProxy(t: TestContext, { folder, daemon, server }: Options): Promise<HaProxy> {
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  const control = join(folder, 'haproxy.sock');
  const config = `
global
  maxconn 100
  stats socket ${control} level user
defaults
  mode tcp
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend pop3
  bind 127.0.0.1:${port}
  default_backend popper
backend popper
  option tcp-check
  tcp-check expect string +OK
  tcp-check send QUIT\\r\\n
  tcp-check expect string +OK
  server popper ${daemon.host}:${daemon.port} check inter 200ms ${server}
`;
  await writeFile(file, config);
  const child = spawn('haproxy', ['-db', '-q', '-f', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
  });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const where = { host: '127.0.0.1', port };
  await Promise.race([answers(where), ended.then(() => Promise.reject(new Error('haproxy has ended')))]);
  return { where, checkStatus: async () => checkStatusOf(await ask(control, 'show stat\n')) };
}

/** Free a moment ago, and hardly taken by another since. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

async function answers(where: TcpAddress): Promise<void> {
  for (;;) {
    try {
      (await Pop3Client.connect(where)).destroy();
      return;
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      await delay(20);
    }
  }
}

async function ask(control: string, question: string): Promise<string> {
  const socket = connect(control);
  socket.end(question);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

/** Of the one server, from a table with commas whose first line has the names. */
function checkStatusOf(table: string): string {
  const [names = [], ...rows] = table.split('\n').map((line) => line.split(','));
  const server = rows.find(([proxy, name]) => proxy === 'popper' && name === 'popper');
  return server?.[names.indexOf('check_status')] ?? '';
}
