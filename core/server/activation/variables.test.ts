import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { takeListenVariables } from './variables.ts';

test('the sockets of a service manager have its names and its order, and no child process hears of them', () => {
  const environment = {
    PATH: '/bin',
    LISTEN_PID: '7',
    LISTEN_FDS: '2',
    LISTEN_FDNAMES: 'pop3:pop3s',
    LISTEN_PIDFDID: '4711',
  };
  assert.deepEqual(takeListenVariables(environment, 7), [
    { name: 'pop3', descriptor: 3 },
    { name: 'pop3s', descriptor: 4 },
  ]);
  assert.deepEqual(environment, { PATH: '/bin' });
  assert.deepEqual(takeListenVariables(environment, 7), []);
});

test('sockets without names, or with too few, are called as systemd calls them', () => {
  const given = { LISTEN_PID: '7', LISTEN_FDS: '2' };
  const names = (fdNames: object): readonly string[] =>
    takeListenVariables({ ...given, ...fdNames }, 7).map(({ name }) => name);
  assert.deepEqual(names({}), ['unknown', 'unknown']);
  assert.deepEqual(names({ LISTEN_FDNAMES: 'pop3' }), ['pop3', 'unknown']);
  assert.deepEqual(names({ LISTEN_FDNAMES: ':pop3s:another' }), ['unknown', 'pop3s']);
});

test('what is meant for a process before this one, or is no number, gives no socket and goes away as well', () => {
  for (const wrong of [
    { LISTEN_PID: '8' },
    { LISTEN_FDS: '-1' },
    { LISTEN_FDS: '9999' },
    { LISTEN_FDS: '' },
  ]) {
    const environment = { LISTEN_PID: '7', LISTEN_FDS: '1', ...wrong };
    assert.deepEqual(takeListenVariables(environment, 7), [], JSON.stringify(wrong));
    assert.deepEqual(environment, {});
  }
});

test('whatever the variables say, descriptors begin behind the standard ones and leave no gap', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (count, names) => {
      const environment = { LISTEN_PID: '7', LISTEN_FDS: count, LISTEN_FDNAMES: names };
      const given = takeListenVariables(environment, 7);
      assert.deepEqual(
        given.map(({ descriptor }) => descriptor),
        Array.from(given, (_, index) => 3 + index),
      );
      assert.ok(given.every(({ name }) => name !== '' && !name.includes(':')));
    }),
  );
});
