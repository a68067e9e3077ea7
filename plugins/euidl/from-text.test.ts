import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { fromTextOf } from './from-text.ts';

async function* chunked(text: string, chunkOctets: number): AsyncGenerator<Uint8Array> {
  const octets = Buffer.from(text, 'latin1');
  for (let start = 0; start < octets.length; start += chunkOctets)
    yield Uint8Array.from(octets.subarray(start, start + chunkOctets));
}

test('a sender behind 16 KiB of header, or in a body, is not looked for', async () => {
  const far = `X: ${'x'.repeat(16_384)}\nFrom: bob@example.org\n\n`;
  assert.equal(await fromTextOf(chunked(far, 1000)), '');
  assert.equal(await fromTextOf(chunked(far, 100_000)), '');
  assert.equal(await fromTextOf(chunked('\nFrom: bob@example.org\n', 4)), '');
  assert.equal(await fromTextOf(chunked('\r\nFrom: bob@example.org\r\n', 4)), '');
});

test('a sender of a megabyte is cut', async () => {
  const from = await fromTextOf(chunked(`From: ${'x'.repeat(1_000_000)}\n\n`, 10_000));
  assert.equal(from.length, 16_384 - 'From: '.length);
});

test('however a message is cut into chunks, its sender is on one line and the same', async () => {
  const part = fc.constantFrom('\r\n', '\n', ' ', '\t', 'From:', 'from :', 'To:', 'a', '\xe9', '\r');
  const text = fc.array(part, { maxLength: 20 }).map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 30 }), async (whole, chunkOctets) => {
      const from = await fromTextOf(chunked(whole, chunkOctets));
      assert.equal(from, await fromTextOf(chunked(whole, whole.length + 1)));
      assert.doesNotMatch(from, /[\r\n\t]|^ | $/);
    }),
    { numRuns: 1000 },
  );
});
