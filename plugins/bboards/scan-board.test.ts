import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';
import { countOctets } from 'popperd';

import type { Columns } from './columns.ts';
import { type ReadAt, scanBoard } from './scan-board.ts';

const fileOf =
  (octets: Buffer): ReadAt =>
  async (buffer, position) =>
    octets.copy(buffer, 0, position, Math.min(octets.length, position + buffer.length));

const { signal } = new AbortController();

function scan(text: string, { removed = 0, sliceOctets = 1024 * 1024, octets = text.length } = {}) {
  return scanBoard(fileOf(Buffer.from(text, 'latin1')), { octets, removed, signal, sliceOctets });
}

const contents = (text: string, { count, starts, ends }: Columns): readonly string[] =>
  Array.from({ length: count }, (_, index) => text.slice(starts[index], ends[index]));

const date = 'Sun Mar  8 10:00:00 1992';
const envelope = `From mrose@example.org ${date}\n`;

test('messages of a board lie between From_ lines, without the empty line before the next', async () => {
  const text = `${envelope}Subject: a\n\nx\n\n${envelope}Subject: b\n\n${envelope}\ny`;
  const columns = await scan(text);
  assert.deepEqual(contents(text, columns), ['Subject: a\n\nx\n', 'Subject: b\n', '\ny']);
  assert.deepEqual([...columns.octets], [17, 12, 5]);
  assert.deepEqual([...columns.numbers], [1, 2, 3]);
  assert.deepEqual([columns.totalOctets, columns.maxima], [34, 3]);
});

test('a file that is empty, or holds no mail, is a board without messages', async () => {
  for (const text of ['', '\n', 'From', 'Subject: no mbox\n\n']) {
    const { count, maxima } = await scan(text, { removed: 7 });
    assert.deepEqual([count, maxima], [0, 7]);
  }
});

test('a line of a message that begins with From begins no other', async () => {
  const long = `From ${'x'.repeat(2000)} ${date}\n`;
  for (const line of [
    'From here to there\n',
    `text\nFrom me ${date}\n`,
    long,
    'From \n',
    `>From ${date}\n`,
  ]) {
    const text = `${envelope}Subject: a\n\n${line}\nend\n`;
    assert.equal((await scan(text)).count, 1, line);
  }
});

test('a file that is cut short while it is looked through has the messages that are left', async () => {
  const text = `${envelope}a\n\n${envelope}b\n`;
  const { count, ends } = await scan(text, { octets: text.length + 5000 });
  assert.deepEqual([count, ends[1]], [2, text.length]);
});

test('mail that is appended meanwhile is not looked at', async () => {
  const text = `${envelope}a\n\n`;
  const { count, ends } = await scan(`${text}${envelope}b\n`, { octets: text.length });
  assert.deepEqual([count, ends[0]], [1, text.length - 1]);
});

test('a scan that nobody waits for ends', async () => {
  const aborted = AbortSignal.abort(new Error('the daemon stops'));
  const read = fileOf(Buffer.from(envelope));
  await assert.rejects(scanBoard(read, { octets: 10, removed: 0, signal: aborted }), /the daemon stops/);
});

const numbered = (...headers: readonly string[]): string =>
  headers.map((header) => `${envelope}${header}Subject: x\n\ntext\n`).join('\n');

for (const [what, headers, removed, numbers] of [
  [
    'messages without one have the next',
    ['BBoard-ID: 40\n', '', 'bboard-id:\t50\r\n', ''],
    0,
    [40, 41, 50, 51],
  ],
  ['messages that were removed have had theirs', ['', ''], 120, [121, 122]],
  ['no number is given twice', ['BBoard-ID: 9\n', 'BBoard-ID: 9\n', 'BBoard-ID: 3\n'], 0, [9, 10, 11]],
  ['a poster cannot give his message one', ['From: a\nBBoard-ID: 999\n', ' BBoard-ID: 999\n'], 0, [1, 2]],
  [
    'what is no number is none',
    ['BBoard-ID: 1x\n', 'BBoard-ID: 9999999999\n', 'BBoard-ID: -4\n'],
    5,
    [6, 7, 8],
  ],
] as const) {
  test(`a message keeps the number that its first line says, and ${what}`, async () => {
    const columns = await scan(numbered(...headers), { removed });
    assert.deepEqual([...columns.numbers], numbers);
    assert.equal(columns.maxima, numbers.at(-1));
  });
}

test('however a board is cut into slices, it has the same messages, with octets as RETR sends them', async () => {
  const piece = fc.constantFrom(
    '\n',
    '\r\n',
    '\r',
    'x',
    'From ',
    'From y\n',
    '>From \n',
    'Sub: a\n',
    '\xe9',
    '.\n',
  );
  const body = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  const start = fc.constantFrom(envelope, `From me ${date}\r\n`, `${envelope}BBoard-ID: 17\n`);
  const separator = fc.constantFrom('\n\n', '\r\n\r\n', '\n\r\n', '\n');
  const message = fc.tuple(start, body, separator).map((parts) => parts.join(''));
  const file = fc.array(message, { maxLength: 6 }).map((messages) => messages.join(''));
  await fc.assert(
    fc.asyncProperty(file, fc.integer({ min: 1, max: 90 }), async (text, sliceOctets) => {
      const whole = await scan(text);
      assert.deepEqual(await scan(text, { sliceOctets }), whole);
      assert.deepEqual(contents(text, whole), expectedOf(text));
      for (const [index, content] of contents(text, whole).entries())
        assert.equal(await countOctets(chunk(content)), whole.octets[index]);
    }),
    { numRuns: 500 },
  );
});

async function* chunk(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text, 'latin1');
}

const isBlank = (line: string | undefined): boolean => line === '\n' || line === '\r\n';

/** The same, said otherwise: lines, and which of them begin a message. */
function expectedOf(text: string): readonly string[] {
  const lines = text.split(/(?<=\n)/);
  const begins = (line: string, index: number): boolean =>
    line.startsWith('From ') && (index === 0 || (isBlank(lines[index - 1]) && line.trimEnd().endsWith(date)));
  const messages: string[][] = [];
  for (const [index, line] of lines.entries()) {
    if (begins(line, index)) messages.push([]);
    else messages.at(-1)?.push(line);
  }
  return messages.map((own) => (isBlank(own.at(-1)) ? own.slice(0, -1) : own).join(''));
}
