import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fillReserve, poolReserve } from './reserve.ts';
import { MemoryDisk } from './testing/memory-disk.ts';
import { Random } from './testing/random.ts';

test('reserves are made once, and survive a power cut', async () => {
  const disk = new MemoryDisk(new Random(1), 64);
  assert.equal(await fillReserve(disk.files(), '/pool', { count: 3, octets: 1000 }), 3);
  disk.cutPower();
  const files = disk.files();
  const names = await files.readFolder('/pool');
  assert.equal(names.length, 3);
  for (const name of names) {
    const content = disk.content(`/pool/${name}`);
    assert.equal(content?.length, 1000);
    // Written, not promised: a hole would still need the space that a full disk has not.
    assert.ok(content.some((octet) => octet !== 0));
  }
  assert.equal(await fillReserve(files, '/pool', { count: 3, octets: 1000 }), 3);
  assert.deepEqual(await files.readFolder('/pool'), names);
});

test('a disk that is too full for all reserves keeps those that fit, and no pieces', async () => {
  const disk = new MemoryDisk(new Random(1), 64);
  disk.freeOctets = 2500;
  assert.equal(await fillReserve(disk.files(), '/pool', { count: 3, octets: 1000 }), 2);
  assert.equal(disk.paths().length, 2);
});

test('pieces of a reserve that nobody finished are removed', async () => {
  const disk = new MemoryDisk(new Random(1), 64);
  disk.put('/pool/unfinished-1', Buffer.alloc(100));
  await fillReserve(disk.files(), '/pool', { count: 1, octets: 100 });
  assert.equal(disk.paths().filter((path) => path.includes('unfinished')).length, 0);
});

test('processes that make reserves at the same time do not trip over each other', async () => {
  const disk = new MemoryDisk(new Random(1), 64);
  const files = disk.files();
  const wanted = { count: 2, octets: 1000 };
  // Each comes when the one before has begun to write.
  const fill = async (steps: number): Promise<number> => {
    for (let step = 0; step < steps; step += 1) await Promise.resolve();
    return fillReserve(files, '/pool', wanted);
  };
  await Promise.all([0, 1, 2, 3, 5, 8, 13].map(fill));
  assert.ok(disk.paths().filter((path) => path.includes('reserve-')).length >= wanted.count);
  assert.equal(disk.paths().filter((path) => path.includes('unfinished')).length, 0);
});

test('each reserve is lent once, and never in place of a journal', async () => {
  const disk = new MemoryDisk(new Random(1), 64);
  disk.put('/pool/reserve-1', Buffer.alloc(100));
  const reserve = poolReserve(disk.files(), '/pool');
  const lent = await Promise.all([reserve.lend('/journals/a.j'), reserve.lend('/journals/b.j')]);
  assert.deepEqual(lent.toSorted(byTruth), [false, true]);
  const [path] = disk.paths();
  assert.ok(path !== undefined);
  await reserve.giveBack(path);
  disk.put('/journals/c.j', Buffer.from('pending'));
  assert.equal(await reserve.lend('/journals/c.j'), false);
  assert.equal(await reserve.lend('/journals/d.j'), true);
  assert.equal(disk.content('/journals/c.j')?.toString(), 'pending');
});

function byTruth(first: boolean, second: boolean): number {
  return Number(first) - Number(second);
}
