import assert from 'node:assert/strict';
import { test } from 'node:test';

import { array, assert as assertProperty, asyncProperty, integer, nat, record } from 'fast-check';

import { AfterImage, keptAbove } from './after-image.ts';
import { MemoryDisk } from './testing/memory-disk.ts';
import { Random } from './testing/random.ts';

const lengths = array(record({ deleted: nat({ max: 90_000 }), kept: nat({ max: 90_000 }) }), {
  minLength: 1,
  maxLength: 8,
});

test('what is kept reads the same in steps of any size, wherever the deleted messages lay', async () => {
  await assertProperty(
    asyncProperty(lengths, integer({ min: 3000, max: 300_000 }), async (pieces, stepOctets) => {
      const { content, edges, kept } = mailboxOf(pieces);
      const file = await fileOf(content);
      const after = new AfterImage(keptAbove(edges, content.length));
      assert.equal(after.octets, kept.length);
      for (let done = 0; done < kept.length; done += stepOctets) {
        const step = Buffer.alloc(Math.min(stepOctets, kept.length - done));
        await after.read(file, done, step);
        assert.ok(step.equals(kept.subarray(done, done + step.length)), `octets from ${done}`);
        assert.equal(content[after.sourceOf(done)], kept[done]);
      }
    }),
    { numRuns: 40 },
  );
});

test('mail that comes later is the end of what is kept', async () => {
  const content = Buffer.from('deleted kept late1 late2');
  const file = await fileOf(content);
  const after = new AfterImage(keptAbove(Float64Array.of(0, 8), 12));
  after.extend(12, 18);
  after.extend(18, 18);
  after.extend(18, 24);
  const all = Buffer.alloc(after.octets);
  await after.read(file, 0, all);
  assert.equal(all.toString(), 'kept late1 late2');
});

test('a mailbox that became shorter is an error, not a message of zeros', async () => {
  const file = await fileOf(Buffer.from('short'));
  const after = new AfterImage(Float64Array.of(2, 20));
  await assert.rejects(after.read(file, 0, Buffer.alloc(18)), /became shorter/);
});

function mailboxOf(pieces: readonly { readonly deleted: number; readonly kept: number }[]) {
  const octets = pieces.reduce((sum, { deleted, kept }) => sum + deleted + kept, 0);
  const content = Buffer.alloc(octets);
  for (let index = 0; index < octets; index += 1) content[index] = (index * 31 + (index >> 8)) & 255;
  const edges: number[] = [];
  const kept: Buffer[] = [];
  let position = 0;
  for (const piece of pieces) {
    edges.push(position, position + piece.deleted);
    position += piece.deleted;
    kept.push(content.subarray(position, position + piece.kept));
    position += piece.kept;
  }
  return { content, edges: Float64Array.from(edges), kept: Buffer.concat(kept) };
}

async function fileOf(content: Uint8Array) {
  const disk = new MemoryDisk(new Random(1), 4096);
  disk.put('/mailbox', content);
  return await disk.files().open('/mailbox', 'read');
}
