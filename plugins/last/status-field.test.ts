import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { maxHeaderOctets, saysRead } from './status-field.ts';

/** A message that tells how far it was read, and whether it was closed. */
function message(text: string, chunkOctets: number) {
  const seen = { octets: 0, isClosed: false };
  const octets = Buffer.from(text, 'latin1');
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (let start = 0; start < octets.length; start += chunkOctets) {
        const chunk = octets.subarray(start, start + chunkOctets);
        seen.octets += chunk.length;
        yield chunk;
      }
    } finally {
      seen.isClosed = true;
    }
  };
  return { chunks: chunks(), seen };
}

const isRead = (text: string, chunkOctets = 7): Promise<boolean> =>
  saysRead(message(text, chunkOctets).chunks);

test('a message that is all header, and long, is not read through', async () => {
  const { chunks, seen } = message(`${'X: y\n'.repeat(200_000)}Status: R\n`, 4096);
  assert.equal(await saysRead(chunks), false);
  assert.ok(seen.octets < maxHeaderOctets + 4096, `${seen.octets} octets were read`);
  assert.equal(seen.isClosed, true);
});

test('a message is closed, and read no further than its header', async () => {
  const { chunks, seen } = message(`A: b\r\n\r\n${'x'.repeat(1000)}`, 16);
  assert.equal(await saysRead(chunks), false);
  assert.deepEqual(seen, { octets: 16, isClosed: true });
});

for (const [text, expected] of [
  ['Status: RO\n\n', true],
  ['status:R\r\n\r\nx', true],
  ['A: b\nSTATUS: OR', true],
  ['Status: O\n\n', false],
  ['Status: read\n\n', false],
  ['X-Status: R\n\n', false],
  ['A: b\n Status: R\n\n', false],
  ['A: b\r\n\r\nStatus: R\r\n', false],
  ['\nStatus: R\n', false],
  ['\r\nStatus: R\n', false],
  ['Status:\nR: x\n\n', false],
  ['', false],
] as const) {
  test(`${JSON.stringify(text)} is ${expected ? 'mail that was read' : 'mail that was not read'}`, async () => {
    assert.equal(await isRead(text), expected);
  });
}

test('however a message is cut into chunks, it is read or not read', async () => {
  const part = fc.constantFrom('\r\n', '\n', '\r', ' ', 'Status:', 'R', 'O', 'x', '\xe9');
  const text = fc.array(part, { maxLength: 20 }).map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 20 }), async (whole, chunkOctets) => {
      const lines = whole.split('\n').map((line) => line.replace(/\r$/, ''));
      const hasEnd = lines.indexOf('');
      const header = lines.slice(0, hasEnd === -1 ? undefined : hasEnd);
      const status = header.find((line) => /^status:/i.test(line)) ?? '';
      const expected = (/^ *(\w*)/.exec(status.slice('status:'.length))?.[1] ?? '').includes('R');
      assert.equal(await isRead(whole, chunkOctets), expected);
    }),
    { numRuns: 1000 },
  );
});
