import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { z } from 'zod';

import { Daemon } from './support/daemon.ts';
import { mboxOf, plainMail, putMail } from './support/mail.ts';
import { Pop3Client } from './support/pop3-client.ts';
import { run, type Ran } from './support/program.ts';
import { logIn, makeSite, password, readMbox, type Site } from './support/site.ts';

const popperHere = join(import.meta.dirname, '../../core/bin/popper.js');

test('an operator sees who is there, sends one away, and nothing of hers is deleted', async (t) => {
  const { site, daemon } = await started(t);
  const stranger = await Pop3Client.connect(daemon.where);
  await stranger.line();
  const alice = await logIn(daemon.where);
  await alice.ask('DELE 1');

  const sessions = (await popper(site, 'who', '--json')).trim().split('\n');
  assert.deepEqual(
    sessions.map((line) => entry.parse(JSON.parse(line))),
    [
      { state: 'AUTHORIZATION', marked: { messages: 0 } },
      { user: 'alice', state: 'TRANSACTION', marked: { messages: 1 } },
    ],
  );
  assert.match(await popper(site, 'status'), /^sessions +1 in AUTHORIZATION, 1 in TRANSACTION$/m);

  assert.match(await popper(site, 'kick', 'alice'), /^\S+ has ended\n$/);
  assert.match((await alice.rest()).toString(), /^-ERR \[SYS\/TEMP\] the operator has ended this session/);
  assert.ok((await readMbox(site)).equals(mboxOf(plainMail)));
  assert.match((await asked(site, ['kick', 'alice'], 1)).stderr, /there is no session alice/);
  assert.match(await popper(site, 'who'), /AUTHORIZATION/);
  await daemon.logged(({ msg, ending }) => msg === 'session' && ending === 'kicked');
  await daemon.logged(
    ({ msg, command, target }) => msg === 'control' && command === 'kick' && target === 'alice',
  );
});

test('the session that holds a maildrop is ended by unlock, and the next login gets it', async (t) => {
  const { site, daemon } = await started(t);
  const forgotten = await logIn(daemon.where);
  assert.match(
    await popper(site, 'unlock', 'alice'),
    /has ended\nthe maildrop of alice is free: no session holds it\n$/,
  );
  assert.match((await forgotten.rest()).toString(), /^-ERR/);
  await (await logIn(daemon.where)).quit();
});

test('a maildrop that another process holds is not unlocked, and the process is named', async (t) => {
  const { site, daemon } = await started(t);
  const holder = await logIn(daemon.where);
  const other = join(site.folder, 'other.config.json');
  const control = { path: 'other.sock' };
  const config = z.looseObject({}).parse(JSON.parse(await readFile(site.configFile, 'utf8')));
  await writeFile(other, JSON.stringify({ ...config, control }), { mode: 0o600 });
  const beside = await Daemon.start(other);
  t.after(() => beside.kill());

  const shutOut = await Pop3Client.connect(beside.where);
  await shutOut.line();
  await shutOut.ask('USER alice');
  assert.match(await shutOut.say(`PASS ${password}`), /^-ERR \[IN-USE\]/);
  const { stdout } = await asked({ ...site, configFile: other }, ['unlock', 'alice'], 1);
  assert.match(
    stdout.toString(),
    new RegExp(`^the maildrop of alice is held by process ${daemon.pid} \\(popper`),
  );
  await holder.quit();
  assert.match(await popper({ ...site, configFile: other }, 'unlock', 'alice'), /is free/);
});

test('a daemon that is drained refuses new clients, and ends with its last session', async (t) => {
  const { site, daemon } = await started(t);
  const alice = await logIn(daemon.where);
  assert.match(await popper(site, 'drain'), /\(1 session now\)/);
  assert.match(await popper(site, 'status'), /^listening +no more: it is being drained$/m);
  await assert.rejects(Pop3Client.connect(daemon.where), /cannot connect/);
  await alice.ask('DELE 1');
  await alice.quit();
  assert.equal(await daemon.exited, 0);
  assert.match((await asked(site, ['who'], 2)).stderr, /^popper: no popper answers on .*control\.sock/);
});

test('a second daemon over the same state does not take the control socket from the first', async (t) => {
  const { site, daemon } = await started(t);
  await assert.rejects(Daemon.start(site.configFile), /another program answers on .*control: \{ path \}/);
  assert.match(await popper(site, 'status'), new RegExp(`pid ${daemon.pid},`));
});

test('one process alone refuses to reload; its title shows how many sessions it has', async (t) => {
  const { site, daemon } = await started(t);
  assert.match((await asked(site, ['reload'], 1)).stderr, /fronts: 1/);
  assert.equal(await titleOf(daemon), 'popper: 0 sessions');
  const alice = await logIn(daemon.where);
  while ((await titleOf(daemon)) !== 'popper: 1 session') await alice.ask('NOOP');
});

test(
  'no other user of the machine can ask',
  { skip: process.getuid?.() !== 0 && 'needs root, to be somebody else' },
  async (t) => {
    const { site } = await started(t);
    const connecting = `net.connect(process.argv[1]).on('connect', () => { throw new Error('connected'); }).on('error', (error) => console.log(error.code))`;
    const words = ['--reuid=4321', '--regid=4321', '--clear-groups', process.execPath, '-e', connecting];
    const { stdout } = await run('setpriv', [...words, join(site.folder, 'state/control.sock')], {
      home: '/',
    });
    assert.equal(stdout.toString(), 'EACCES\n');
  },
);

const entry = z.object({
  user: z.string().optional(),
  state: z.string(),
  marked: z.object({ messages: z.number() }),
});

async function started(t: TestContext): Promise<{ site: Site; daemon: Daemon }> {
  const site = await makeSite(t);
  await putMail(site.mboxOf('alice'), plainMail);
  return { site, daemon: await site.start() };
}

/** What the `popper` program prints. */
const popper = async (site: Site, ...words: readonly string[]): Promise<string> =>
  (await asked(site, words)).stdout.toString();

const asked = (site: Site, words: readonly string[], exitCode = 0): Promise<Ran> =>
  run(process.execPath, [popperHere, '-c', site.configFile, ...words], {
    home: site.folder,
    fine: [exitCode],
  });

async function titleOf({ pid }: Daemon): Promise<string> {
  return (await readFile(`/proc/${pid}/cmdline`, 'latin1')).replaceAll('\0', ' ').trim();
}
