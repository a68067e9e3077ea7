import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { chunkLengths, cut, cutEverywhere, latin1, mailOctets } from '../../test/mail-octets.ts';
import { BodyReader } from './body-reader.ts';

// [what the client does, octets it sends, text, what is left for the line reader; undefined while the text goes on]
const sent: readonly (readonly [string, string, string, string | undefined])[] = [
  ['smuggles a command behind LF . LF', 'a\n.\nDELE 1\r\n', 'a\n.\nDELE 1\r\n', undefined],
  ['smuggles a command behind LF . CRLF', 'a\n.\r\nDELE 1\r\n', 'a\n.\r\nDELE 1\r\n', undefined],
  ['smuggles a command behind CRLF . LF', 'a\r\n.\nDELE 1\r\n', 'a\r\n\nDELE 1\r\n', undefined],
  ['smuggles a command behind CR . CR', 'a\r.\rDELE 1\r\n', 'a\r.\rDELE 1\r\n', undefined],
  ['smuggles a command behind CRLF . CR', 'a\r\n.\rDELE 1\r\n', 'a\r\n\rDELE 1\r\n', undefined],
  ['smuggles a command behind CR CR LF . CR CR LF', '\r\r\n.\r\r\nDELE 1', '\r\r\n\r\r\nDELE 1', undefined],
  ['leaves before the last dot', 'a\r\n', 'a\r\n', undefined],
  ['leaves after the last dot', 'a\r\n.', 'a\r\n', undefined],
  ['leaves in the middle of the last line end', 'a\r\n.\r', 'a\r\n', undefined],
  ['sends an empty text', '.\r\n', '', ''],
  [
    'sends a text and goes on with a command',
    'a: b\r\n\r\nc\r\n.\r\nSTAT\r\n',
    'a: b\r\n\r\nc\r\n',
    'STAT\r\n',
  ],
  ['sends lines that begin with dots', '..\r\n...a\r\n.b\r\n.\r\n', '.\r\n..a\r\nb\r\n', ''],
  ['sends a second end right after the first', 'a\r\n.\r\n.\r\n', 'a\r\n', '.\r\n'],
  ['sends bare CR and LF inside a line', 'a\rb\nc\r\n.\r\n', 'a\rb\nc\r\n', ''],
  ['ends a line with CR CR LF', 'a\r\r\n.\r\n', 'a\r\r\n', ''],
];

for (const [title, octets, text, rest] of sent) {
  test(`a client that ${title} is read the same wherever its octets are cut`, () => {
    for (const chunks of cutEverywhere(latin1(octets))) assert.deepEqual(read(chunks), { text, rest });
    const single = [...latin1(octets)].map((octet) => Uint8Array.of(octet));
    assert.deepEqual(read(single), { text, rest });
  });
}

test('a text is what a reading of its lines one by one gives, in any chunking', () => {
  fc.assert(
    fc.property(mailOctets, chunkLengths, (octets, lengths) => {
      const end = octets.length > 0 && !latin1Of(octets).endsWith('\r\n') ? '\r\n.\r\n' : '.\r\n';
      const stream = Buffer.concat([octets, latin1(`${end}rest`)]);
      assert.deepEqual(read(cut(stream, lengths)), readByLine(latin1Of(stream)));
    }),
    { numRuns: 1000 },
  );
});

test('a client that begins each line with a dot does not cut its text into a piece for each', () => {
  const stuffed = latin1('..\r\n'.repeat(1000));
  const { chunks } = new BodyReader().push(stuffed);
  assert.deepEqual(chunks, [latin1('.\r\n'.repeat(1000))]);
});

test('after the end nothing more is taken for text', () => {
  const reader = new BodyReader();
  reader.push(latin1('.\r\n'));
  assert.throws(() => reader.push(latin1('STAT\r\n')), /the text has ended/);
});

function read(chunks: readonly Uint8Array[]): { text: string; rest: string | undefined } {
  const reader = new BodyReader();
  const text: Uint8Array[] = [];
  for (const [index, chunk] of chunks.entries()) {
    const piece = reader.push(chunk);
    assert(piece.chunks.every((octets) => octets.length > 0));
    text.push(...piece.chunks);
    if (piece.rest === undefined) continue;
    const rest = Buffer.concat([piece.rest, ...chunks.slice(index + 1)]);
    return { text: latin1Of(Buffer.concat(text)), rest: latin1Of(rest) };
  }
  return { text: latin1Of(Buffer.concat(text)), rest: undefined };
}

/** RFC 1939 section 3 to the letter: lines end in CRLF, a lone dot ends the text, another first dot is taken off. */
function readByLine(stream: string): { text: string; rest: string } {
  const lines = stream.split('\r\n');
  const end = lines.indexOf('.');
  const text = lines.slice(0, end).map((line) => `${line.replace(/^\./, '')}\r\n`);
  return { text: text.join(''), rest: lines.slice(end + 1).join('\r\n') };
}

function latin1Of(octets: Uint8Array): string {
  return Buffer.from(octets).toString('latin1');
}
