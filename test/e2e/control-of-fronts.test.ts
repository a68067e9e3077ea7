import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { z } from 'zod';

import type { Daemon } from './support/daemon.ts';
import { childrenOf, greetAll, makeSiteOfFronts, until } from './support/fronts.ts';
import { run } from './support/program.ts';
import { logIn, type Site } from './support/site.ts';

const popper = join(import.meta.dirname, '../../core/bin/popper.js');

test('popper who lists the sessions of all fronts, and status counts them', async (t) => {
  const { site, fronts } = await served(t);
  const listed = (await who(site)).map(({ id }) => Number(id.split('-')[0]));
  assert.deepEqual(new Set(listed), new Set(fronts.map(({ pid }) => pid)));
  await until(async () => (await status(site)).sessions.authorization === 2);
});

test('popper status counts what was done in a front that is no more', async (t) => {
  const { site, daemon } = await served(t);
  const client = await logIn(daemon.where);
  await client.askOctets('RETR 1');
  await client.quit();
  await ask(site, 'reload');
  await until(async () => (await childrenOf(daemon)).length === 4);
  const { logins, retrieved } = await status(site);
  assert.deepEqual([logins.accepted, retrieved.messages], [1, 1]);
});

test('popper kick ends a session wherever it is', async (t) => {
  const { site, daemon } = await served(t);
  const client = await logIn(daemon.where);
  await ask(site, 'kick', 'alice');
  assert.match((await client.rest()).toString(), /^-ERR/);
  await assert.rejects(ask(site, 'kick', 'nobody'), /no session nobody/);
});

test('popper unlock frees a maildrop that another front has open', async (t) => {
  const { site, daemon } = await served(t);
  const client = await logIn(daemon.where);
  assert.match((await ask(site, 'unlock', 'alice')).stdout.toString(), /free/);
  await client.rest();
  await logIn(daemon.where);
});

test('popper reload answers when the new configuration serves, or with the reason why it does not', async (t) => {
  const { site, daemon, fronts } = await served(t);
  assert.match((await ask(site, 'reload')).stdout.toString(), /generation 2/);
  const renewed = await greetAll(daemon.where);
  assert.ok(renewed.every(({ pid }) => fronts.every((front) => front.pid !== pid)));
});

test('popper drain lets the sessions of all fronts end by themselves', async (t) => {
  const { site, daemon, fronts } = await served(t);
  await ask(site, 'drain');
  const [one, other] = fronts;
  await one?.client.quit();
  assert.match((await other?.client.say('USER alice')) ?? '', /^\+OK/);
  await other?.client.quit();
  assert.equal(await daemon.exited, 0);
});

const statusSchema = z.looseObject({
  sessions: z.object({ authorization: z.int(), transaction: z.int() }),
  logins: z.object({ accepted: z.int() }),
  retrieved: z.object({ messages: z.int() }),
});

async function status(site: Site) {
  return statusSchema.parse(JSON.parse((await ask(site, 'status', '--json')).stdout.toString()));
}

async function who(site: Site) {
  const lines = (await ask(site, 'who', '--json')).stdout.toString().trim().split('\n');
  return lines.map((line) => z.looseObject({ id: z.string() }).parse(JSON.parse(line)));
}

const ask = ({ folder, configFile }: Site, ...words: readonly string[]) =>
  run(process.execPath, [popper, ...words, '-c', configFile], { home: folder });

async function served(t: TestContext) {
  const site = await makeSiteOfFronts(t);
  const daemon: Daemon = await site.start();
  return { site, daemon, fronts: await greetAll(daemon.where) };
}
