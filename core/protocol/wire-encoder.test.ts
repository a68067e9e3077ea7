import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { chunkLengths, cut, cutEverywhere, latin1, mailOctets } from '../../test/mail-octets.ts';
import { BodyReader } from './body-reader.ts';
import { minRoomOctets } from './kernel-interface.ts';
import { OctetCounter } from './octet-counter.ts';
import { WireEncoder } from './wire-encoder.ts';

// [what the store has, what the client gets, octets by RFC 1939 section 11]; the ids are rows of the edge-case table.
const messages: readonly (readonly [string, string, string, number])[] = [
  ['B1: a dot at the start of the first line', '.a\r\n', '..a\r\n.\r\n', 4],
  ['B1: a lone dot in the middle', 'a\r\n.\r\nb\r\n', 'a\r\n..\r\nb\r\n.\r\n', 9],
  ['B1: two dots as the last line', 'a\r\n..\r\n', 'a\r\n...\r\n.\r\n', 7],
  ['B1: a header that begins with a dot', '.a: b\r\n\r\n', '..a: b\r\n\r\n.\r\n', 9],
  ['B1: a dot inside a line', 'a.b\r\n', 'a.b\r\n.\r\n', 5],
  ['B2: a last line without line end', 'a\r\nb', 'a\r\nb\r\n.\r\n', 6],
  ['B2: a last line that is a lone dot without line end', 'a\n.', 'a\r\n..\r\n.\r\n', 6],
  ['B3: a message stored with LF', 'a\n\nb\n', 'a\r\n\r\nb\r\n.\r\n', 8],
  ['B4: a bare CR', 'a\rb\r\n', 'a\rb\r\n.\r\n', 5],
  ['B4: CR CR LF', 'a\r\r\n', 'a\r\r\n.\r\n', 4],
  ['B4: a bare LF among CRLF', 'a\r\nb\nc\r\n', 'a\r\nb\r\nc\r\n.\r\n', 9],
  ['B4: a lone dot between bare LFs', 'a\n.\nb\n', 'a\r\n..\r\nb\r\n.\r\n', 9],
  ['B4: a dot after a bare CR, which is no line start', 'a\r.\r\n', 'a\r.\r\n.\r\n', 5],
  ['B4: a bare CR at the very end', 'a\r', 'a\r\r\n.\r\n', 4],
  ['B5: NUL, 8-bit and invalid UTF-8', '\0\xff\xc3\r\n', '\0\xff\xc3\r\n.\r\n', 5],
  ['B7: an empty message', '', '.\r\n', 0],
  ['B7: a message of one CRLF', '\r\n', '\r\n.\r\n', 2],
  ['B7: only a header', 'a: b\r\n', 'a: b\r\n.\r\n', 6],
];

for (const [title, stored, wire, octets] of messages) {
  test(`${title} reaches the client whole, wherever the store cuts it (B8)`, () => {
    for (const chunks of cutEverywhere(latin1(stored))) {
      assert.deepEqual(send(chunks), { wire, octets });
      assert.equal(count(chunks), octets);
    }
  });
}

test('B6: a line of 10 MB is sent as it is', () => {
  const line = Buffer.alloc(10_000_000, 'x');
  const { wire, octets } = send([line]);
  assert.equal(octets, 10_000_002);
  assert(wire === `${line.toString('latin1')}\r\n.\r\n`);
});

test('B8: any chunking and any slab give the same octets', () => {
  const slabs = fc.integer({ min: minRoomOctets, max: minRoomOctets + 40 });
  fc.assert(
    fc.property(mailOctets, chunkLengths, slabs, (octets, lengths, slabOctets) => {
      const padded = Buffer.concat([octets, Buffer.alloc(900, '\n.'), octets]);
      assert.deepEqual(send(cut(padded, lengths), slabOctets), send([padded]));
    }),
  );
});

test('the octets LIST announces are the octets RETR sends, for any message', () => {
  fc.assert(
    fc.property(mailOctets, chunkLengths, (octets, lengths) => {
      const { wire, octets: sentOctets } = send([octets]);
      const unstuffed = wire.replace(/(^|\r\n)\./g, '$1').slice(0, -2);
      assert.equal(sentOctets, unstuffed.length);
      assert.equal(count(cut(octets, lengths)), sentOctets);
    }),
  );
});

test('a client that undoes the byte-stuffing has the message with CRLF line ends', () => {
  fc.assert(
    fc.property(mailOctets, (octets) => {
      const { chunks, rest } = new BodyReader().push(latin1(send([octets]).wire));
      const withCrlf = latin1Of(octets).replace(/(?<!\r)\n/g, '\r\n');
      const whole = withCrlf === '' || withCrlf.endsWith('\n') ? withCrlf : `${withCrlf}\r\n`;
      assert.equal(latin1Of(Buffer.concat(chunks)), whole);
      assert.equal(rest?.length, 0);
    }),
  );
});

test('B9: a message of more than 4 GB is counted right', () => {
  const chunk = Buffer.alloc(1 << 26, 'x\n');
  const counter = new OctetCounter();
  for (let round = 0; round < 65; round += 1) counter.add(chunk);
  assert.equal(counter.end(), 65 * (1 << 26) * 1.5);
});

test('an encoder and a counter that are used again remember nothing of the message before', () => {
  const encoder = new WireEncoder();
  const counter = new OctetCounter();
  for (const text of ['a\r', '\n', '.', '']) {
    encoder.reset();
    const slab = Buffer.alloc(64);
    const { writtenOctets } = encoder.encodeInto(latin1(text), slab);
    const wire = latin1Of(slab.subarray(0, writtenOctets)) + latin1Of(encoder.end());
    counter.add(latin1(text));
    assert.deepEqual({ wire, octets: encoder.bodyOctets }, send([latin1(text)]));
    assert.equal(counter.end(), encoder.bodyOctets);
  }
});

/** What a client gets of these chunks, sent by way of slabs of that size. */
function send(chunks: readonly Uint8Array[], slabOctets = 4096): { wire: string; octets: number } {
  const encoder = new WireEncoder();
  const slab = Buffer.alloc(slabOctets);
  const sent: Buffer[] = [];
  for (let chunk of chunks) {
    while (chunk.length > 0) {
      const { readOctets, writtenOctets } = encoder.encodeInto(chunk, slab);
      assert(readOctets > 0, 'the encoder is stuck');
      sent.push(Buffer.from(slab.subarray(0, writtenOctets)));
      chunk = chunk.subarray(readOctets);
    }
  }
  const wire = latin1Of(Buffer.concat([...sent, encoder.end()]));
  return { wire, octets: encoder.bodyOctets };
}

function count(chunks: readonly Uint8Array[]): number {
  const counter = new OctetCounter();
  for (const chunk of chunks) counter.add(chunk);
  return counter.end();
}

function latin1Of(octets: Uint8Array): string {
  return Buffer.from(octets).toString('latin1');
}
