import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import * as fc from 'fast-check';

import { receive, type ReceiveRules } from './receive.ts';
import { openSpoolFile } from './spool.ts';

const folder = await mkdtemp(join(tmpdir(), 'popper-receive-test-'));
after(() => rm(folder, { recursive: true }));

const rules: ReceiveRules = {
  own: 'alice@example.org',
  sender: 'alice@example.org',
  domain: 'example.org',
  forgedFrom: 'mark',
  maxRecipients: 5,
  maxMessageOctets: 1_000_000,
  lineEnd: '\r\n',
};

async function* chunked(text: string, chunkOctets: number): AsyncGenerator<Uint8Array> {
  const octets = Buffer.from(text, 'latin1');
  for (let start = 0; start < octets.length; start += chunkOctets)
    yield Uint8Array.from(octets.subarray(start, start + chunkOctets));
}

/** What is in the file, and what is known of it. */
async function received(
  text: string,
  { chunkOctets = 5, ...changed }: Partial<ReceiveRules> & { chunkOctets?: number } = {},
) {
  const file = await openSpoolFile(folder);
  try {
    const { envelope, octets, isSevenBit } = await receive(chunked(text, chunkOctets), file, {
      ...rules,
      ...changed,
    });
    return { sent: (await file.readFile()).toString('latin1'), envelope, octets, isSevenBit };
  } finally {
    await file.close();
  }
}

const header = 'From: alice@example.org\r\nDate: now\r\nMessage-ID: <1@x>\r\nTo: bob@example.org\r\n';

test('a message lies in no file that has a name', async () => {
  const file = await openSpoolFile(folder);
  assert.deepEqual(await readdir(folder), []);
  assert.equal((await file.stat()).mode & 0o777, 0o600);
  await file.close();
});

test('the text behind the header stays as it is, but for its line ends', async () => {
  const body = '\r\n.\r\n..two\r\n\xe4\0\r\n\r\nBcc: no header\r\nFrom here\r\n';
  const { sent, octets, isSevenBit } = await received(`${header}Bcc: eve@example.org\r\n${body}`);
  assert.equal(sent, header + body);
  assert.equal(octets, sent.length);
  assert.equal(isSevenBit, false);
});

test('X1: a bare LF or CR ends a line for everybody, or for nobody', async () => {
  const { sent, isSevenBit } = await received(
    'From: alice@example.org\nDate: now\nMessage-ID: <1@x>\nTo: bob@example.org\n\na\n.\nb\r.\r\r\n',
  );
  assert.equal(sent, `${header}\r\na\r\n.\r\nb\r\n.\r\n\r\n`);
  assert.equal(isSevenBit, true);
  assert.equal(
    (await received(`${header}\r\na\r\nb\r\n`, { lineEnd: '\n' })).sent,
    `${header}\r\na\r\nb\r\n`.replaceAll('\r', ''),
  );
});

test('a message that is all header has an empty text', async () => {
  assert.equal((await received(header)).sent, `${header}\r\n`);
  assert.equal((await received(`${header}\r\n`)).sent, `${header}\r\n`);
});

test('X1: an empty text, and one without a header, are refused', async () => {
  await assert.rejects(received(''), /the message is empty/);
  await assert.rejects(received('\r\nTo: bob@example.org\r\n'), /has no recipients/);
  await assert.rejects(received('hello\r\n'), /line 1 of the message is no header field/);
});

test('a message that is too long, or has a header without end, is given up where that shows', async () => {
  await assert.rejects(
    received(header + 'x'.repeat(1000), { maxMessageOctets: 1023 }),
    /too long: 1023 octets at most/,
  );
  await assert.rejects(
    received(`X: ${'x'.repeat(300_000)}`, { chunkOctets: 8192 }),
    /the header is too long: 262144 octets at most/,
  );
  await assert.rejects(
    received(`X: ${'x'.repeat(300_000)}\r\n\r\n`, { chunkOctets: 400_000 }),
    /the header is too long/,
  );
});

test('a message that comes in tiny pieces is not written in tiny pieces', async (t) => {
  const file = await openSpoolFile(folder);
  const { mock } = t.mock.method(file, 'write');
  const { octets } = await receive(chunked(`${header}\r\n${'..\r\n'.repeat(50_000)}`, 4), file, rules);
  assert.equal((await file.stat()).size, octets);
  assert.ok(mock.callCount() < 10, `${mock.callCount()} writes`);
  await file.close();
});

const outcome = (text: string, chunkOctets: number) =>
  received(text, { chunkOctets }).catch((error: unknown) => String(error));

test('however a message is cut into chunks, the same is sent to the same', async () => {
  const part = fc.constantFrom(
    '\r\n',
    '\n',
    '\r',
    '\r\n\r\n',
    '\n\n',
    'Cc: carol@example.org',
    'Bcc: eve@example.org',
    'X: y',
    ' ',
    '.',
    '\xe4',
  );
  const lines = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(lines, fc.integer({ min: 1, max: 20 }), async (text, chunkOctets) => {
      const whole = await outcome(header + text, 10_000);
      assert.deepEqual(await outcome(header + text, chunkOctets), whole);
      if (typeof whole === 'string') return;
      assert.equal(whole.sent.length, whole.octets);
      assert.doesNotMatch(whole.sent, /[^\r]\n|\r[^\n]|\r$/);
      assert.doesNotMatch(whole.sent.split('\r\n\r\n', 1)[0] ?? '', /^Bcc:/m);
    }),
    { numRuns: 300 },
  );
});
