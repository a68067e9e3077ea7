import assert from 'node:assert/strict';
import { link, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { type CounterFiles, realCounterFiles } from './counter-files.ts';
import { Counter } from './counter.ts';

async function counterFor(t: TestContext, files: CounterFiles = realCounterFiles) {
  const folder = await mkdtemp(join(tmpdir(), 'popper-counter-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, '.popbull');
  return { folder, path, counter: new Counter(path, files) };
}

test('a number counts when it is committed, and not before', async (t) => {
  const { folder, counter } = await counterFor(t);
  assert.equal(await counter.read(), undefined);
  const next = await counter.prepare(7, undefined);
  assert.equal(await counter.read(), undefined);
  await next.commit();
  assert.equal(await counter.read(), 7);
  await (await counter.prepare(8, 7)).abandon();
  assert.equal(await counter.read(), 7);
  assert.deepEqual(await readdir(folder), ['.popbull']);
});

test('a number is on the disk before it counts, and its name before a client can delete anything', async (t) => {
  const calls: string[] = [];
  const { counter } = await counterFor(t, {
    ...realCounterFiles,
    async openNext(path) {
      const next = await realCounterFiles.openNext(path);
      if (next === 'busy') return next;
      return {
        ...next,
        async write(text) {
          calls.push('write');
          await next.write(text);
        },
        async sync() {
          calls.push('sync');
          await next.sync();
        },
      };
    },
    async rename(from, to) {
      calls.push('rename');
      await realCounterFiles.rename(from, to);
    },
    async syncFolder(path) {
      calls.push('sync folder');
      await realCounterFiles.syncFolder(path);
    },
  });
  const next = await counter.prepare(7, undefined);
  assert.deepEqual(calls, ['write', 'sync']);
  await next.commit();
  assert.deepEqual(calls, ['write', 'sync', 'rename', 'sync folder']);
});

test('X4: of two sessions at once one counts, and the other is told that it may not', async (t) => {
  const { path, counter } = await counterFor(t);
  const other = new Counter(path, realCounterFiles);
  const next = await counter.prepare(7, undefined);
  await assert.rejects(other.prepare(7, undefined), { code: 'EBUSY' });
  await next.commit();
  await assert.rejects(other.prepare(7, undefined), { code: 'EBUSY' });
  await (await other.prepare(8, 7)).commit();
  assert.equal(await counter.read(), 8);
});

test('what a dead process left half written is taken over, and one that has a second name is not', async (t) => {
  const { path, folder, counter } = await counterFor(t);
  await writeFile(`${path}.next`, '99999999');
  await (await counter.prepare(7, undefined)).commit();
  assert.equal(await readFile(path, 'latin1'), '7\n');
  await writeFile(join(folder, 'precious'), 'precious');
  await link(join(folder, 'precious'), `${path}.next`);
  await assert.rejects(counter.prepare(8, 7), { code: 'EBUSY' });
  assert.equal(await readFile(join(folder, 'precious'), 'latin1'), 'precious');
});

test('X4: where a file cannot be made, as in a read-only home, nothing has changed', async (t) => {
  const readOnly = Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS', errno: -30 });
  for (const step of ['openNext', 'write', 'sync'] as const) {
    const files: CounterFiles = {
      ...realCounterFiles,
      async openNext(path) {
        if (step === 'openNext') throw readOnly;
        const next = await realCounterFiles.openNext(path);
        return next === 'busy' ? next : { ...next, [step]: () => Promise.reject(readOnly) };
      },
    };
    const { folder, path, counter } = await counterFor(t, files);
    await writeFile(path, '6\n');
    await assert.rejects(counter.prepare(7, 6), { code: 'EROFS' });
    assert.equal(await counter.read(), 6, step);
    assert.deepEqual(await readdir(folder), ['.popbull']);
    // And nobody holds a lock.
    await (await new Counter(path, realCounterFiles).prepare(7, 6)).abandon();
  }
});

test('a rename that fails can be tried again', async (t) => {
  let failures = 2;
  const failing = (): boolean => (failures -= 1) >= 0;
  const files: CounterFiles = {
    ...realCounterFiles,
    async rename(from, to) {
      if (failing()) throw new Error('EIO');
      await realCounterFiles.rename(from, to);
    },
    async syncFolder(path) {
      if (failing()) throw new Error('EIO');
      await realCounterFiles.syncFolder(path);
    },
  };
  const { counter } = await counterFor(t, files);
  const next = await counter.prepare(7, undefined);
  await assert.rejects(next.commit(), { message: 'EIO' });
  await assert.rejects(next.commit(), { message: 'EIO' });
  await next.commit();
  failures = 1;
  const after = await counter.prepare(8, 7);
  await assert.rejects(after.commit(), { message: 'EIO' });
  await after.abandon();
  assert.equal(await counter.read(), 7);
});
