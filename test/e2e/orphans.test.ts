import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { childrenOf, greet, greetAll, makeSiteOfFronts, titleOf, until } from './support/fronts.ts';
import { largeMessage, putMail } from './support/mail.ts';
import { logIn } from './support/site.ts';

const asRoot = { skip: process.getuid?.() === 0 ? false : 'only root can mount folders' };

const isThere = async (pid: number): Promise<boolean> => (await titleOf(pid).catch(() => '')) !== '';

test('a front that blocks and outlives its master is ended by the next daemon, which needs the port', async (t) => {
  const site = await makeSiteOfFronts(t);
  const daemon = await site.start();
  const { where } = daemon;
  const { client, pid } = await greet(where);
  client.send('X-BLOCK\r\n');
  const others = (await childrenOf(daemon)).filter((one) => one !== pid);
  await daemon.kill();
  await until(async () => (await Promise.all(others.map(isThere))).every((there) => !there));
  await delay(500);
  assert.ok(await isThere(pid), 'it notices nothing');
  const next = await site.start(where.port);
  const { child, shown } = await next.logged(({ msg }) => msg.startsWith('a process of an earlier daemon'));
  assert.equal(child, pid);
  assert.match(String(shown), /^popper: front/);
  assert.ok(!(await isThere(pid)));
  client.destroy();
  await greetAll(where);
});

test('a front that is at its last words when the next daemon starts is let say them', async (t) => {
  const site = await makeSiteOfFronts(t);
  await putMail(site.mboxOf('alice'), [largeMessage]);
  const daemon = await site.start();
  const client = await logIn(daemon.where);
  client.send('RETR 1\r\n');
  await client.line();
  client.socket.pause();
  const fronts = await childrenOf(daemon);
  await daemon.kill();
  const next = await site.start();
  assert.ok(!next.records.some(({ msg }) => msg.startsWith('a process of an earlier daemon')));
  const titles = await Promise.all(fronts.map((pid) => titleOf(pid).catch(() => '')));
  assert.ok(
    titles.some((title) => title.startsWith('popper: leaving, was front')),
    titles.join('\n'),
  );
  client.socket.resume();
  assert.equal((await client.body()).length > 1_000_000, true);
});

test('a process that has folders of its own mounted is none of the next daemon here', asRoot, async (t) => {
  const site = await makeSiteOfFronts(t);
  const elsewhere = await site.start(0, ['unshare', '--mount']);
  const { client, pid } = await greet(elsewhere.where);
  t.after(() => process.kill(pid, 'SIGKILL'));
  client.send('X-BLOCK\r\n');
  await elsewhere.kill();
  await delay(500);
  const next = await site.start();
  assert.ok(!next.records.some(({ msg }) => msg.startsWith('a process of an earlier daemon')));
  assert.ok(await isThere(pid));
  client.destroy();
});
