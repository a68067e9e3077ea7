import assert from 'node:assert/strict';
import { it } from 'node:test';

import { IndexCache, type MailboxIndex } from './index-cache.ts';
import { rowOctets, Rows } from './rows.ts';

const indexOf = (count: number): MailboxIndex => ({
  header: {
    stamp: { bootId: '', dev: 1n, ino: 1n, octets: 1, mtimeNs: 1n, ctimeNs: 1n },
    count,
    totalOctets: 0,
    scannedOctets: 0,
    tailDigest: Buffer.alloc(32),
    contentLength: false,
  },
  rows: new Rows(Buffer.allocUnsafeSlow(count * rowOctets)),
  unsaved: { kind: 'nothing' },
});

it('indexes go when there is no room, those first that were not used for longest', () => {
  const cache = new IndexCache(4 * 100 * rowOctets);
  for (const path of ['a', 'b', 'c']) cache.set(path, indexOf(100));
  assert.ok(cache.get('a') !== undefined);
  cache.set('d', indexOf(100));
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((path) => cache.get(path) !== undefined),
    [true, false, true, true],
  );
});

it('an index that replaces another does not count twice, and one that is too large is not kept', () => {
  const cache = new IndexCache(4 * 100 * rowOctets);
  for (let round = 0; round < 10; round += 1) cache.set('a', indexOf(100));
  cache.set('b', indexOf(100));
  assert.ok(cache.get('a') !== undefined);
  cache.set('c', indexOf(1000));
  assert.equal(cache.get('c'), undefined);
  cache.delete('nobody');
});
