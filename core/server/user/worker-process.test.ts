import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { loggerTo, type LogRecord } from '../../log/logger.ts';
import { WorkerProcess } from './worker-process.ts';

for (const { what, begins, ending } of [
  { what: '', begins: '', ending: 'SIGINT' },
  { what: ', though it hears of nothing', begins: "process.on('SIGINT', () => {}); ", ending: 'SIGKILL' },
]) {
  test(`a process that never gets so far that it could become a user is ended${what}, and the log says at what`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'popper-spare-'));
    t.after(() => rm(folder, { recursive: true }));
    const entry = join(folder, 'endless.mjs');
    await writeFile(entry, `${begins}process.title = 'popper: worker, loading [slow: apply]'; for (;;);`);
    const child = fork(entry, { execArgv: [] });
    t.after(() => child.kill('SIGKILL'));
    const log: LogRecord[] = [];
    const worker = new WorkerProcess(child, {
      log: loggerTo((record) => log.push(record)),
      blockedTimeoutMs: 60_000,
      loadingMs: 1000,
    });
    await assert.rejects(worker.loaded, /has ended/);
    await worker.ended;
    assert.equal(child.signalCode, ending);
    assert.deepEqual(
      log.map(({ message, fields }) => [message, fields['worker'], fields['shown']]),
      [['a worker blocks, so it is ended', child.pid, 'popper: worker, loading [slow: apply]']],
    );
  });
}
