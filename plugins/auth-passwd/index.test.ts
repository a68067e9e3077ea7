import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { definePlugin, granted, type Identity, type Plugin } from 'popperd';
import { memoryMaildrop, TestServer } from 'popperd/testing';
import { z } from 'zod';

import authPasswd, { setPassword } from './index.ts';

type Options = Omit<Parameters<typeof authPasswd>[0], 'file'>;

/** A server with this password file, and the identities that its store was asked for. */
async function serverOf(
  t: TestContext,
  text: string,
  { options = {}, others = [] }: { readonly options?: Options; readonly others?: readonly Plugin[] } = {},
): Promise<{ folder: string; server: TestServer; opened: Identity[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'auth-passwd-'));
  await writeFile(join(folder, 'passwd'), text, { mode: 0o600 });
  const opened: Identity[] = [];
  const store = definePlugin({
    name: 'store',
    options: z.strictObject({}),
    apply(popper) {
      popper.hooks.openMaildrop.tapPromise('store', async (identity) => {
        opened.push(identity);
        return memoryMaildrop([]);
      });
    },
  });
  const server = new TestServer([authPasswd({ file: 'passwd', ...options }), ...others, store()], {
    baseFolder: folder,
  });
  t.after(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });
  return { folder, server, opened };
}

const login = (user: string, password: string): string[] => [`USER ${user}`, `PASS ${password}`, 'QUIT'];

test('a stranger hears the same for a wrong password, an unknown user and a locked one', async (t) => {
  const { server } = await serverOf(t, 'ann:{PLAIN}x\neve:!{PLAIN}x\n');
  await server.start();
  const replies = await Promise.all(
    [login('ann', 'y'), login('nobody', 'x'), login('eve', 'x')].map((client) => server.converse(client)),
  );
  assert.match(replies[0]?.[2] ?? '', /^-ERR \[AUTH\]/);
  assert.deepEqual(replies[1], replies[0]);
  assert.deepEqual(replies[2], replies[0]);
});

test('a user logs in with spaces in the password, as the system user of the line', async (t) => {
  const { server, opened } = await serverOf(t, 'ann:{PLAIN} two  words :1000:1001::/home/ann\n');
  const said = await server.converse(login('ann', ' two  words '));
  assert.match(said[2] ?? '', /^\+OK/);
  assert.deepEqual(opened, [{ user: 'ann', uid: 1000, gid: 1001, home: '/home/ann' }]);
});

test('what a line leaves out comes from the options, or from the daemon itself', async (t) => {
  const options = { uid: 5000, gid: 5001, home: '/srv/{domain}/{localpart}/{user}' };
  const configured = await serverOf(t, 'ann@example.com:{PLAIN}x\n', { options });
  await configured.server.converse(login('ann@example.com', 'x'));
  const home = '/srv/example.com/ann/ann@example.com';
  assert.deepEqual(configured.opened, [{ user: 'ann@example.com', uid: 5000, gid: 5001, home }]);
  const bare = await serverOf(t, 'ann:{PLAIN}x\n');
  await bare.server.converse(login('ann', 'x'));
  const [uid, gid] = [process.geteuid?.(), process.getegid?.()];
  assert.deepEqual(bare.opened, [{ user: 'ann', uid, gid, home: '/nonexistent' }]);
});

const anybody = definePlugin({
  name: 'anybody',
  options: z.strictObject({}),
  apply(popper) {
    popper.hooks.authenticate.tapPromise('anybody', async ({ user }) =>
      granted({ user, uid: 1, gid: 1, home: '/' }),
    );
  },
});

test('an unknown user is passed on only where the operator says that others know him', async (t) => {
  const alone = await serverOf(t, 'ann:{PLAIN}x\n', { others: [anybody()] });
  assert.match((await alone.server.converse(login('joe', 'z')))[2] ?? '', /^-ERR \[AUTH\]/);
  const shared = await serverOf(t, 'ann:{PLAIN}x\n', { options: { others: true }, others: [anybody()] });
  assert.match((await shared.server.converse(login('joe', 'z')))[2] ?? '', /^\+OK/);
  assert.match((await shared.server.converse(login('ann', 'z')))[2] ?? '', /^-ERR \[AUTH\]/);
});

test('a daemon whose password file is missing does not start, and says which file', async (t) => {
  const { folder, server } = await serverOf(t, 'ann:{PLAIN}x\n');
  await rm(join(folder, 'passwd'));
  await assert.rejects(server.start(), (error: Error) => error.message.includes(join(folder, 'passwd')));
  assert.match((await server.converse(login('ann', 'x')))[2] ?? '', /^-ERR \[SYS\/TEMP\]/);
  await setPassword(join(folder, 'passwd'), 'ann', Buffer.from('x'));
  assert.match((await server.converse(login('ann', 'x')))[2] ?? '', /^\+OK/);
});

test('a broken line is in the log with its file and number, and no password ever is', async (t) => {
  const { folder, server } = await serverOf(t, 'ann:{PLAIN}hunter2\nbob:hunter2\nhunter2\n');
  await server.start();
  await server.converse(login('ann', 'hunter2'));
  await server.converse(login('bob', 'hunter2'));
  const log = JSON.stringify(server.log);
  assert(log.includes(`${join(folder, 'passwd')}:2: bob: the password field has no scheme`));
  assert(log.includes(`${join(folder, 'passwd')}:3: `));
  assert.doesNotMatch(log, /hunter2/);
});

const problems = (options: object): string =>
  JSON.stringify(authPasswd({ file: 'passwd', ...options }).problems);

test('options that make no sense are refused by name', () => {
  assert.equal(problems({}), '[]');
  assert.match(problems({ home: 'mail/{user}' }), /home.*absolute path/);
  for (const wrong of ['{local}', '{name}', '{user', '}']) {
    const says = problems({ home: `/mail/${wrong}` });
    assert.ok(says.includes('expected {user}, {localpart} or {domain} in the template'), says);
    assert.ok(says.includes(wrong), says);
  }
  assert.match(problems({ home: '/mail/../{user}' }), /home/);
  assert.match(problems({ uid: -1 }), /uid/);
  assert.match(problems({ checksAtOnce: 0 }), /checksAtOnce/);
  assert.match(problems({ path: 'x' }), /path/);
});
