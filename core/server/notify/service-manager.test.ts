import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { ServiceManager } from './service-manager.ts';

/** One that hears all, of a daemon whose state the test decides. */
function listening(t: TestContext, watchdogMs?: number) {
  const heard: string[] = [];
  const socket = {
    tell: (...lines: readonly string[]) => void heard.push(lines.join(' ')),
    mention: (line: string) => heard.push(line) > 0,
  };
  const daemon = { isServing: true, draining: false, sessions: { authorization: 1, transaction: 0 } };
  const manager = new ServiceManager(true, socket, watchdogMs);
  t.after(() => manager.close());
  const started = (): void =>
    manager.started({ status: async () => daemon, isServing: () => daemon.isServing });
  return { manager, daemon, heard, started, beats: () => heard.filter((one) => one === 'WATCHDOG=1').length };
}

test('the life of a daemon, told in its order', async (t) => {
  const { manager, daemon, heard, started } = listening(t);
  started();
  await delay(1);
  await manager.reloads(Promise.resolve());
  daemon.sessions.transaction = 2;
  await manager.reloads(Promise.reject(new Error('popper.config.ts: \n  no listen')));
  await delay(1);
  manager.stopping(65_000);
  manager.stopping(65_000);
  await delay(1);
  manager.close();
  assert.deepEqual(
    heard.map((one) => one.replace(/MONOTONIC_USEC=\d+$/, 'NOW')),
    [
      'READY=1',
      'STATUS=serving: 1 session',
      'RELOADING=1 NOW',
      'READY=1',
      'RELOADING=1 NOW',
      'READY=1',
      'STATUS=serving: 3 sessions; the last reload failed: popper.config.ts: no listen',
      'STOPPING=1 EXTEND_TIMEOUT_USEC=70000000',
      'STATUS=stopping: 3 sessions; the last reload failed: popper.config.ts: no listen',
    ],
  );
});

test('a reload that a stop overtakes does not make a daemon ready that is going', async (t) => {
  const { manager, heard, started } = listening(t);
  started();
  const reload = Promise.withResolvers<void>();
  const told = manager.reloads(reload.promise);
  manager.stopping(1000);
  reload.resolve();
  await told;
  await manager.reloads(Promise.reject(new Error('too late')));
  assert.equal(heard.filter((one) => one === 'READY=1').length, 1);
  assert.equal(heard.filter((one) => one.startsWith('RELOADING')).length, 1);
  manager.close();
});

test('a daemon that was stopped before it stood is never ready', (t) => {
  const { manager, heard, started } = listening(t);
  manager.stopping(1000);
  started();
  assert.deepEqual(heard, ['STOPPING=1 EXTEND_TIMEOUT_USEC=6000000']);
});

test('the watchdog hears of a daemon that serves, twice in its time, and of nothing when nobody is served', async (t) => {
  const { manager, daemon, started, beats } = listening(t, 100);
  started();
  await delay(330);
  assert.ok(beats() >= 4, `${beats()} in 330 ms`);
  daemon.isServing = false;
  const before = beats();
  await delay(150);
  assert.equal(beats(), before);
  manager.stopping(1000);
  await delay(150);
  assert.ok(beats() > before, 'a stop takes its time, and is no failure');
  manager.close();
  const last = beats();
  await delay(150);
  assert.equal(beats(), last);
});

test('why it cannot start is told in one line that is not too long', (t) => {
  const { manager, heard } = listening(t);
  manager.failed(`stateDir:\n${'x'.repeat(500)}`);
  assert.match(heard[0] ?? '', /^STATUS=cannot start: stateDir: x{170,200}$/);
});

test('where nobody wants to hear anything there is nobody', async () => {
  const manager = await ServiceManager.open(undefined, { warn: assert.fail, error: assert.fail });
  assert.equal(manager.isThere, false);
});

test('without koffi the daemon serves all the same, and its log says what to install', () => {
  const hook = `import { registerHooks } from 'node:module';
    registerHooks({ resolve(name, context, next) {
      if (name === 'koffi') throw new Error('koffi was left out');
      return next(name, context);
    } });`;
  const script = `import { ServiceManager } from ${JSON.stringify(join(import.meta.dirname, 'service-manager.ts'))};
    const error = (message, { error, fix }) => console.log(message, '|', error.message, '|', fix);
    const manager = await ServiceManager.open({ address: '@nobody' }, { error, warn: error });
    console.log(manager.isThere);`;
  const args = ['-C', 'popper-source', '--import', `data:text/javascript,${encodeURIComponent(hook)}`];
  const { stdout, stderr } = spawnSync(process.execPath, [...args, '--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  assert.match(
    stdout,
    /may end popper \| the package koffi is not there \| npm install koffi .*\ntrue\n$/,
    stderr,
  );
});

test('a service manager that cannot be told is named in the log, with what to do', async () => {
  const said: string[] = [];
  const say = (message: string, fields?: object) => void said.push(`${message} ${JSON.stringify(fields)}`);
  const log = { warn: say, error: say };
  assert.equal((await ServiceManager.open({ address: 'vsock:2:7' }, log)).isThere, true);
  assert.match(said[0] ?? '', /cannot be told .*vsock:2:7.*unix socket/);
  const other = { address: '@popper-test-nobody', watchdogMs: 1, watchedPid: process.pid + 1 };
  assert.equal((await ServiceManager.open(other, log)).isThere, true);
  assert.match(said[1] ?? '', /watches another process .*PATH/);
});
