import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { encodeFrame, type Frame, FrameError, maxFrameOctets, readFrames } from './frames.ts';

async function* cut(octets: Uint8Array, pieceOctets: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (const count of [...pieceOctets, octets.length]) {
    if (start < octets.length) yield Uint8Array.from(octets.subarray(start, start + count));
    start += count;
  }
}

async function read(octets: Uint8Array, pieceOctets: readonly number[] = []): Promise<readonly Frame[]> {
  const frames: Frame[] = [];
  for await (const { message, octets: beside } of readFrames(cut(octets, pieceOctets))) {
    frames.push({ message, octets: Uint8Array.from(beside) });
  }
  return frames;
}

test('messages come as they were sent, with what went beside them, however the stream is cut', async () => {
  const message = fc.dictionary(
    fc.string(),
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean()),
  );
  const sent = fc.array(fc.record({ message, octets: fc.uint8Array({ maxLength: 300 }) }), { maxLength: 5 });
  const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(sent, pieces, async (frames, pieceOctets) => {
      const stream = Buffer.concat(frames.map((frame) => encodeFrame(frame.message, frame.octets)));
      const expected: unknown = JSON.parse(JSON.stringify(frames.map((frame) => frame.message)));
      const found = await read(stream, pieceOctets);
      assert.deepEqual(
        found.map((frame) => frame.message),
        expected,
      );
      for (const [index, frame] of found.entries())
        assert.deepEqual([...frame.octets], [...(frames[index]?.octets ?? [])]);
    }),
    { numRuns: 60 },
  );
});

const head = (octets: number, textOctets: number): Buffer => {
  const both = Buffer.alloc(8);
  both.writeUInt32BE(octets, 0);
  both.writeUInt32BE(textOctets, 4);
  return both;
};

for (const [what, octets] of [
  ['claims more octets than any message has', head(maxFrameOctets + 1, 2)],
  ['claims four thousand million', head(0xffffffff, 2)],
  ['has a message that is longer than its frame', Buffer.concat([head(2, 3), Buffer.from('{}')])],
  ['says what is no JSON', Buffer.concat([head(2, 2), Buffer.from('{]')])],
  ['stops within a head', Buffer.from([0, 0, 0])],
  ['stops within a message', Buffer.concat([head(10, 2), Buffer.from('{}')])],
] as const) {
  test(`a process that ${what} is not listened to any more`, async () => {
    await assert.rejects(read(octets), FrameError);
  });
}

test('a process does not send what no other would listen to', () => {
  assert.throws(() => encodeFrame({ text: 'x'.repeat(maxFrameOctets) }), FrameError);
  assert.throws(() => encodeFrame({}, new Uint8Array(maxFrameOctets)), FrameError);
});

test('a secret that came in pieces is nowhere left when it was taken out of its frame', async () => {
  const frame = encodeFrame({}, Buffer.from('white rabbit'));
  const pieces = [frame.subarray(0, 12), frame.subarray(12, 15), frame.subarray(15)].map((piece) =>
    Uint8Array.from(piece),
  );
  async function* arriving(): AsyncGenerator<Uint8Array> {
    yield* pieces;
  }
  for await (const { octets } of readFrames(arriving())) {
    assert.equal(Buffer.from(octets).toString(), 'white rabbit');
    octets.fill(0);
  }
  for (const piece of pieces) assert.doesNotMatch(Buffer.from(piece).toString('latin1'), /[a-z]{2}/);
});
