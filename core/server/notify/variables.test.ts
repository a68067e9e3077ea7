import assert from 'node:assert/strict';
import { test } from 'node:test';

import { takeNotifyVariables } from './variables.ts';

test('what a service manager says is read once, and is not there for child processes', () => {
  const environment = {
    PATH: '/bin',
    NOTIFY_SOCKET: '/run/systemd/notify',
    WATCHDOG_USEC: '30000000',
    WATCHDOG_PID: '7',
  };
  const taken = takeNotifyVariables(environment);
  assert.deepEqual(taken, { address: '/run/systemd/notify', watchdogMs: 30_000, watchedPid: 7 });
  assert.deepEqual(environment, { PATH: '/bin' });
  assert.equal(takeNotifyVariables(environment), undefined);
});

test('a watchdog that is off, or none in form, is none', () => {
  for (const watchdog of ['0', '', '-1', 'soon', '1e9', '9999999999999999999']) {
    const environment = { NOTIFY_SOCKET: '@manager', WATCHDOG_USEC: watchdog };
    assert.deepEqual(takeNotifyVariables(environment), { address: '@manager' }, watchdog);
  }
});

test('without a socket nobody is to be told, and a watchdog without one goes away as well', () => {
  const environment = { NOTIFY_SOCKET: '', WATCHDOG_USEC: '1000000' };
  assert.equal(takeNotifyVariables(environment), undefined);
  assert.deepEqual(environment, {});
});
