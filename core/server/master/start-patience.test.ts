import { rejects, strictEqual as equal } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

import { StartPatience } from './start-patience.ts';

const ever = new Promise<void>(() => {});

test('a process that takes too long to start is ended, with what it was at', async (t) => {
  const code =
    "process.title = 'popper: slow [plugin: hook start]'; console.log(1); setInterval(() => {}, 1000);";
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const ended = once(child, 'exit');
  await rejects(new StartPatience(100).with(ever, { pid: child.pid, kill: () => child.kill('SIGKILL') }), {
    message: 'a process took more than 100 ms to start, and was ended at: popper: slow [plugin: hook start]',
  });
  equal((await ended)[1], 'SIGKILL');
});

test('several that start one after the other share the time', async () => {
  const patience = new StartPatience(100);
  const [ends, kill] = counted();
  await patience.with(Promise.resolve(), { pid: undefined, kill });
  await rejects(patience.with(ever, { pid: undefined, kill }), /more than 100 ms/);
  await rejects(patience.with(ever, { pid: undefined, kill }), /more than 100 ms/);
  equal(ends(), 2);
});

test('what keeps one from starting is told as it is, and with infinite patience nothing else is', async () => {
  const [ends, kill] = counted();
  const failure = Promise.reject(new Error('no database'));
  await rejects(new StartPatience(Infinity).with(failure, { pid: undefined, kill }), /^Error: no database$/);
  equal(ends(), 0);
});

function counted(): readonly [() => number, () => void] {
  let count = 0;
  return [
    () => count,
    () => {
      count += 1;
    },
  ];
}
