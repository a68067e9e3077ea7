import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

import { socketPair } from './socket-pair.ts';

test('what is said at one end comes out at the other, also when an end has said all it has to say', async () => {
  const [near, far] = await socketPair();
  near.end('USER alice\r\n');
  assert.equal(await text(far), 'USER alice\r\n');
  far.end('+OK\r\n');
  assert.equal(await text(near), '+OK\r\n');
});

test('pairs that are made at one time are not mixed up, and nothing of them is left on the disk', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'popper-pair-test-'));
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  t.after(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(folder, { recursive: true });
  });
  const pairs = await Promise.all(Array.from({ length: 8 }, socketPair));
  for (const [index, [near]] of pairs.entries()) near.end(String(index));
  assert.deepEqual(
    await Promise.all(pairs.map(([, far]) => text(far))),
    pairs.map((_, index) => String(index)),
  );
  assert.deepEqual(readdirSync(folder), []);
  for (const [, far] of pairs) far.destroy();
});
