import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Plugin } from 'popperd';
import { memoryHost, memoryMaildrop, testPlugin, TestServer } from 'popperd/testing';

test('the author of a plugin that waits for the ports can try it without one', async () => {
  const heard: string[] = [];
  const waits = testPlugin('waits', ({ hooks }) =>
    hooks.listening.tapPromise('waits', async (addresses) => void heard.push(...addresses)),
  );
  await new TestServer([waits]).listening(['127.0.0.1:1110', '/run/popper.sock']);
  assert.deepEqual(heard, ['127.0.0.1:1110', '/run/popper.sock']);
});

test('what plugins find when they are checked comes with the name of the one that found it', async () => {
  const findings = await new TestServer([looks('one'), looks('two')]).check();
  assert.deepEqual(findings.slice(3), [
    { kind: 'fine', plugin: 'two', what: 'it is there' },
    { kind: 'warning', plugin: 'two', what: 'it is old', fix: 'renew it' },
    { kind: 'problem', plugin: 'two', what: 'it is broken', fix: 'mend it' },
  ]);
  assert.deepEqual([...new Set(findings.map(({ plugin }) => plugin))], ['one', 'two']);
});

test('a plugin that keeps mail is shown all who can log in, whatever the order of plugins', async () => {
  const identity = { user: 'mrose', uid: 1000, gid: 1000, home: '/home/mrose' };
  const keeper = testPlugin('keeper', ({ hooks }) =>
    hooks.check.tapPromise('keeper', async (checkup) =>
      checkup.withUsers(async (users) => {
        for (const user of users)
          checkup.warning(`${user.identity.user} in ${user.source}`, user.fixOfOwner('f', 1));
      }),
    ),
  );
  const decider = testPlugin('decider', ({ hooks }) =>
    hooks.check.tapPromise('decider', async (checkup) => {
      await Promise.resolve();
      checkup.canLogIn({ identity, source: 'passwd', fixOfOwner: (path, uid) => `${path} ${uid}` });
    }),
  );
  assert.deepEqual(await new TestServer([keeper, decider]).check(), [
    { kind: 'warning', plugin: 'keeper', what: 'mrose in passwd', fix: 'f 1' },
  ]);
});

test('a plugin is told who does what with its files, and looks as fronts do when all have been asked', async () => {
  const order: string[] = [];
  const early = testPlugin('early', ({ hooks }) =>
    hooks.check.tapPromise('early', async (checkup) => {
      checkup.asFront(() => {
        order.push('as a front');
        checkup.problem(`${checkup.frontUser} may not`, 'let it');
      });
      checkup.withUsers(async () => void order.push('with users'));
      order.push(checkup.isolation);
    }),
  );
  const late = testPlugin('late', ({ hooks }) =>
    hooks.check.tapPromise('late', async () => void order.push('late')),
  );
  const plugins = [early, late];
  const server = new TestServer(plugins, { settings: { isolation: 'user', user: 'nobody' } });
  assert.deepEqual(await server.check(), [
    { kind: 'problem', plugin: 'early', what: 'nobody may not', fix: 'let it' },
  ]);
  assert.deepEqual(order.splice(0), ['user', 'late', 'with users', 'as a front']);
  const [finding] = await new TestServer(plugins).check();
  assert.deepEqual([finding?.what, order[0]], ['undefined may not', 'none']);
});

/** As from a plugin in plain JavaScript, which no compiler has looked at. */
const goesOn = (): unknown => Promise.reject(new Error('too late'));

test('what would go on with other rights than the front has is refused', async () => {
  const waits = testPlugin('waits', ({ hooks }) =>
    hooks.check.tapPromise('waits', async (checkup) => checkup.asFront(goesOn)),
  );
  await assert.rejects(
    new TestServer([waits]).check(),
    /what is looked at as somebody else has to be done when it returns/,
  );
});

test('a maildrop is opened with the signal that the test holds', async () => {
  const gone = new AbortController();
  const given: AbortSignal[] = [];
  const host = memoryHost((_, signal) => {
    given.push(signal);
    return memoryMaildrop([]);
  });
  await new TestServer([host]).open('mrose', gone.signal);
  assert.deepEqual(given, [gone.signal]);
});

test('who opens a maildrop for a user whom no store knows is told', async () => {
  await assert.rejects(new TestServer([]).open('nobody'), /no maildrop for this user/);
});

/** A plugin that finds one thing of each kind. */
const looks = (name: string): Plugin =>
  testPlugin(name, ({ hooks }) =>
    hooks.check.tapPromise('look', async (checkup) => {
      checkup.fine('it is there');
      checkup.warning('it is old', 'renew it');
      checkup.problem('it is broken', 'mend it');
    }),
  );
