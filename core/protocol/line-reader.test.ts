import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { chunkLengths, cut, cutEverywhere, latin1 } from '../../test/mail-octets.ts';
import { LineReader, type Line } from './line-reader.ts';

const tooLong: Line = { kind: 'too long' };
const malformed: Line = { kind: 'malformed' };
const line = (text: string): Line => ({ kind: 'line', text });

test('a client that sends 1 MB without a line end is told once, and none of it is kept (L3)', () => {
  const reader = new LineReader();
  const lines: Line[] = [];
  for (let round = 0; round < 1000; round += 1) {
    reader.push(Buffer.alloc(1000, 'A'));
    lines.push(...allOf(reader));
    assert(reader.pendingOctets <= 255);
  }
  reader.push(latin1('\r\nNOOP\r\n'));
  lines.push(...allOf(reader));
  assert.deepEqual(lines, [tooLong, line('NOOP')]);
  assert.equal(reader.droppedOctets, 1_000_002);
});

test('a client that is over the limit is told before the line ends', () => {
  const reader = new LineReader();
  reader.push(Buffer.alloc(254, 'A'));
  assert.equal(reader.next(), undefined);
  reader.push(latin1('A'));
  assert.deepEqual(reader.next(), tooLong);
});

test('a line of 255 octets with its CRLF is taken, one of 256 is not (L2, L3)', () => {
  assert.deepEqual(read([latin1(`${'x'.repeat(253)}\r\n`)]), [line('x'.repeat(253))]);
  assert.deepEqual(read([latin1(`${'x'.repeat(254)}\r\nNOOP\r\n`)]), [tooLong, line('NOOP')]);
  assert.deepEqual(read([latin1(`${'x'.repeat(254)}\n`)]), [line('x'.repeat(254))]);
  assert.deepEqual(read([latin1(`${'x'.repeat(255)}\nNOOP\r\n`)]), [tooLong, line('NOOP')]);
});

test('NUL, bare CR, tab, DEL and 8-bit octets make a line malformed, and the next one is read (L11, L13)', () => {
  for (const octet of ['\0', '\r', '\t', '\x1b', '\x7f', '\x80', '\xff']) {
    for (const text of [octet, `${octet}STAT`, `ST${octet}AT`, `STAT${octet}`]) {
      assert.deepEqual(read([latin1(`${text}\r\nNOOP\r\n`)]), [malformed, line('NOOP')]);
    }
  }
});

test('a bare LF ends a line, an empty line is a line, and case and spaces are left as they came (L1, L10, L12, L13)', () => {
  const octets = latin1('sTaT\n\r\n\n  \r\nPASS  two  spaces \r\n');
  const lines = [line('sTaT'), line(''), line(''), line('  '), line('PASS  two  spaces ')];
  for (const chunks of cutEverywhere(octets)) assert.deepEqual(read(chunks), lines);
});

test('however the octets are chunked, the lines are the same (L18)', () => {
  const piece = fc.oneof(
    fc.constantFrom('\r\n', '\n', '\r', 'NOOP', ' ', '\0', '\xff'),
    fc.integer({ min: 248, max: 260 }).map((octets) => 'x'.repeat(octets)),
  );
  const text = fc.array(piece, { maxLength: 30 }).map((pieces) => latin1(pieces.join('')));
  const lengths = fc.oneof(chunkLengths, fc.array(fc.nat({ max: 300 }), { maxLength: 20 }));
  fc.assert(
    fc.property(text, lengths, (octets, lengthsOctets) => {
      const whole = new LineReader();
      const pieces = new LineReader();
      whole.push(octets);
      const lines = allOf(whole);
      const linesOfPieces = cut(octets, lengthsOctets).flatMap((chunk) => {
        pieces.push(chunk);
        return allOf(pieces);
      });
      assert.deepEqual(linesOfPieces, lines);
      assert.equal(pieces.droppedOctets, whole.droppedOctets);
      assert.equal(pieces.pendingOctets, whole.pendingOctets);
      assert.deepEqual(Buffer.from(pieces.take()), Buffer.from(whole.take()));
    }),
    { numRuns: 500 },
  );
});

test('a thousand commands in one segment and one octet a segment are the same commands (L18)', () => {
  const octets = latin1('NOOP\r\n'.repeat(1000));
  const lines = Array.from({ length: 1000 }, () => line('NOOP'));
  assert.deepEqual(read([octets]), lines);
  assert.deepEqual(read([...octets].map((octet) => Uint8Array.of(octet))), lines);
});

test('a big segment is let go once its lines are read, and its unfinished line is kept as a copy', () => {
  const reader = new LineReader();
  const segment = latin1('NOOP\r\n'.repeat(10_000) + 'QU');
  reader.push(segment);
  assert.equal(allOf(reader).length, 10_000);
  segment.fill('x');
  reader.push(latin1('IT\r\n'));
  assert.deepEqual(allOf(reader), [line('QUIT')]);
});

test('what is unread goes to the next reader whole: unfinished line, rest of the segment, later segments', () => {
  const reader = new LineReader();
  reader.push(latin1('ST'));
  assert.equal(reader.next(), undefined);
  reader.push(latin1('LS\r\nhe'));
  assert.deepEqual(reader.next(), line('STLS'));
  reader.push(latin1('llo\r\nth'));
  reader.push(latin1('ere'));
  assert.equal(reader.pendingOctets, 12);
  assert.equal(Buffer.from(reader.take()).toString(), 'hello\r\nthere');
  assert.equal(reader.pendingOctets, 0);
  assert.equal(reader.take().length, 0);
});

test('the rest of a line that was too long is not handed over', () => {
  const reader = new LineReader(10);
  reader.push(latin1('0123456789abc'));
  assert.deepEqual(reader.next(), tooLong);
  assert.equal(reader.take().length, 0);
  reader.push(latin1('def\r\nSTAT\r\n'));
  assert.equal(Buffer.from(reader.take()).toString(), 'STAT\r\n');
  assert.equal(reader.droppedOctets, 18);
});

function read(chunks: readonly Uint8Array[]): Line[] {
  const reader = new LineReader();
  return chunks.flatMap((chunk) => {
    reader.push(chunk);
    return allOf(reader);
  });
}

function allOf(reader: LineReader): Line[] {
  const lines: Line[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) lines.push(next);
  return lines;
}
