import assert from 'node:assert/strict';
import { open, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { Daemon } from './support/daemon.ts';
import { Pop3Client } from './support/pop3-client.ts';
import { logIn, makeSite } from './support/site.ts';

const mebibyte = 1024 * 1024;
/** The first ones pay for what the daemon has once: its scan buffers, code that runs for the first time. */
const warmUpClients = 40;
/** A window of the store's, a slab that the socket has not taken, and the session: some 220 KiB. */
const maxOctetsEach = 256 * 1024;

test('L20: many clients that ask for large messages and read nothing cost little memory each', async (t) => {
  const users = Array.from({ length: 180 }, (_, index) => `user${index}`);
  const site = await makeSite(t, { users, config: { limits: { connectionsPerAddress: 200 } } });
  for (const user of users) await putHugeMessage(site.mboxOf(user), 8 * mebibyte);
  const daemon = await site.start();

  const stalled: Pop3Client[] = [];
  const stall = async (user: string): Promise<void> => {
    const client = await logIn(daemon.where, user);
    client.send('RETR 1\r\n');
    stalled.push(client);
  };
  for (const user of users.slice(0, warmUpClients)) await stall(user);
  const before = await settledMemory(daemon);
  for (const user of users.slice(warmUpClients)) await stall(user);
  const after = await settledMemory(daemon);

  const octetsEach = (after - before) / (users.length - warmUpClients);
  t.diagnostic(
    `${Math.round(octetsEach / 1024)} KiB for each stalled client, ${Math.round(after / mebibyte)} MiB in all`,
  );
  assert.ok(octetsEach < maxOctetsEach, `${octetsEach} octets for each client that does not read`);
  assert.equal(sessionsOver(daemon), 0, 'none of them has got its message');
  await assertServes(daemon, 'user0', 'IN-USE');
  for (const client of stalled) client.destroy();
});

test('L20: a client that asks for a message of 1 GiB and reads nothing costs no more than for a small one', async (t) => {
  const site = await makeSite(t);
  await putHugeMessage(site.mboxOf('alice'), 1024 * mebibyte);
  const daemon = await site.start();
  const client = await logIn(daemon.where);
  const before = await settledMemory(daemon);
  client.send('RETR 1\r\n');
  assert.ok((await settledMemory(daemon)) - before < 32 * mebibyte);
  client.destroy();
  await (await logIn(daemon.where)).quit();
});

test('L20: a client that reads nothing is let go in the end', async (t) => {
  const site = await makeSite(t, { config: { idleTimeoutMs: 1500 } });
  await putHugeMessage(site.mboxOf('alice'), 64 * mebibyte);
  const daemon = await site.start();
  const client = await logIn(daemon.where);
  client.send('RETR 1\r\n');
  const { ending } = await daemon.logged(({ msg }) => msg === 'session');
  assert.equal(ending, 'idle');
  assert.ok((await client.rest()).length < 32 * mebibyte, 'what came is what the sockets held');
  await (await logIn(daemon.where)).quit();
});

/** A message of NULs, with a hole for a body: large to read, nothing on the disk. */
async function putHugeMessage(file: string, octets: number): Promise<void> {
  const handle = await open(file, 'w', 0o600);
  try {
    const head = 'From bob@example.org Mon Nov  2 10:00:00 2026\nSubject: huge\n\n';
    await handle.write(head);
    await handle.truncate(head.length + octets);
    await handle.write('\n\n', head.length + octets);
  } finally {
    await handle.close();
  }
}

/** Resident octets of its own, once they have not grown for two seconds: files that it has mapped are not counted. */
async function settledMemory({ pid }: Daemon): Promise<number> {
  let last = await memoryOf(pid);
  for (let quietLooks = 0; quietLooks < 4;) {
    await delay(500);
    const now = await memoryOf(pid);
    quietLooks = now > last + mebibyte / 4 ? 0 : quietLooks + 1;
    last = now;
  }
  return last;
}

async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]);
}

const sessionsOver = (daemon: Daemon): number => daemon.records.filter(({ msg }) => msg === 'session').length;

async function assertServes(daemon: Daemon, user: string, code: string): Promise<void> {
  const client = await Pop3Client.connect(daemon.where);
  await client.line();
  await client.ask(`USER ${user}`);
  assert.match(await client.say('PASS correct horse'), new RegExp(`^-ERR \\[${code}\\]`));
  client.destroy();
}
