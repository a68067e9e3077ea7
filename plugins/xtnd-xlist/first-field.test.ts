import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { firstField, maxFieldOctets, maxHeaderOctets } from './first-field.ts';

/** A message that tells how far it was read, and whether it was closed. */
function message(text: string, chunkOctets: number) {
  const seen = { octets: 0, isClosed: false };
  const octets = Buffer.from(text, 'latin1');
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (let start = 0; start < octets.length; start += chunkOctets) {
        const chunk = octets.subarray(start, start + chunkOctets);
        seen.octets += chunk.length;
        yield Uint8Array.from(chunk);
      }
    } finally {
      seen.isClosed = true;
    }
  };
  return { chunks: chunks(), seen };
}

const find = (text: string, beginning: string, chunkOctets = 7): Promise<readonly string[]> =>
  firstField(message(text, chunkOctets).chunks, beginning);

test('a line of a megabyte costs a listing no more than its beginning', async () => {
  const [line = '', ...more] = await find(
    `Subject: ${'x'.repeat(1_000_000)}\r\n folded\r\n\r\n`,
    'subject',
    64_000,
  );
  assert.equal(line.length, maxFieldOctets);
  assert.deepEqual(more, []);
});

test('a field that goes on in a thousand long lines is cut as one long line is', async () => {
  const lines = await find(`A: b\n${` ${'x'.repeat(999)}\n`.repeat(1000)}\n`, 'a:', 4096);
  assert.equal(
    lines.reduce((octets, line) => octets + line.length, 0),
    maxFieldOctets,
  );
});

test('what stands behind a line of a megabyte is found', async () => {
  assert.deepEqual(await find(`X: ${'x'.repeat(1_000_000)}\r\nSubject: here\r\n\r\n`, 'subject', 64_000), [
    'Subject: here',
  ]);
});

test('a message that is all header, and long, is not read through', async () => {
  const { chunks, seen } = message('X: y\n'.repeat(2_000_000), 64_000);
  assert.deepEqual(await firstField(chunks, 'subject'), []);
  assert.ok(seen.octets < maxHeaderOctets + 64_000, `${seen.octets} octets were read`);
  assert.equal(seen.isClosed, true);
});

test('a message is closed and read no further than its header', async () => {
  const { chunks, seen } = message(`A: b\r\n\r\nSubject: no\r\n${'x'.repeat(10_000)}`, 16);
  assert.deepEqual(await firstField(chunks, 'subject'), []);
  assert.deepEqual(seen, { octets: 16, isClosed: true });
});

test('a message is read no further than the field that is asked for', async () => {
  const { chunks, seen } = message(`Subject: one\r\n two\r\nB: c\r\n${'C: d\r\n'.repeat(100)}`, 16);
  assert.deepEqual(await firstField(chunks, 'subject'), ['Subject: one', ' two']);
  assert.deepEqual(seen, { octets: 32, isClosed: true });
});

test('a field that the message ends in is whole', async () => {
  assert.deepEqual(await find('Subject: one\n two', 'Sub'), ['Subject: one', ' two']);
  assert.deepEqual(await find('', 'Sub'), []);
  assert.deepEqual(await find('\r\nSubject: body', 'Sub'), []);
  assert.deepEqual(await find(' Subject: no field\n\n', ''), []);
});

const isNew = (line: string): boolean => !/^[ \t]/.test(line);

/** The same, said otherwise: of a text that is whole, and short. */
function expected(text: string, beginning: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  const header = lines.slice(0, lines.includes('') ? lines.indexOf('') : undefined);
  const start = header.findIndex(
    (line) => isNew(line) && line.toLowerCase().startsWith(beginning.toLowerCase()),
  );
  if (start === -1) return [];
  const next = header.findIndex((line, index) => index > start && isNew(line));
  return header.slice(start, next === -1 ? undefined : next);
}

test('however a message is cut into chunks, the same field is found', async () => {
  const part = fc.constantFrom(
    '\r\n',
    '\n',
    '\r',
    ' ',
    '\t',
    'a',
    'A',
    'ab',
    'b:',
    'subject: x',
    '\xe9',
    '\0',
    '.',
  );
  const text = fc.array(part, { maxLength: 30 }).map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.constantFrom('a', 'AB', 'Sub', 'b:'),
      fc.integer({ min: 1, max: 40 }),
      async (whole, beginning, chunkOctets) => {
        assert.deepEqual(await find(whole, beginning, chunkOctets), expected(whole, beginning));
      },
    ),
    { numRuns: 2000 },
  );
});
