import assert from 'node:assert/strict';
import { test } from 'node:test';

import { array, assert as assertProperty, nat, property, uint8Array } from 'fast-check';

import {
  decodeHeader,
  decodeHeaderStart,
  decodeRecord,
  encodeBody,
  encodeHeader,
  encodeRecord,
  type Header,
} from './format.ts';

const header: Header = {
  kind: 'deletions',
  done: false,
  borrowed: true,
  blockOctets: 4096,
  chunkOctets: 4 * 1024 * 1024,
  transaction: Buffer.alloc(16, 't'),
  boot: Buffer.alloc(16, 'b'),
  dev: 2n ** 63n,
  ino: 12n,
  mailboxOctets: 9_000_000_000_000,
  changeStart: 1000,
  mailboxPath: '/var/mail/jürgen',
  kept: Float64Array.of(1000, 1001, 8_000_000_000_000, 9_000_000_000_000),
};

test('what a journal says is read as it was written', () => {
  assert.deepEqual(read(encodeHeader(header, encodeBody(header))), header);
  assertProperty(
    property(array(nat({ max: 2 ** 40 })), (steps) => {
      let edge = 0;
      const kept = Float64Array.from([...steps, ...steps], (step) => (edge += step));
      const long = { ...header, changeStart: 0, kept };
      assert.deepEqual(read(encodeHeader(long, encodeBody(long))), long);
    }),
  );
});

test('a header or a record with any one octet changed is none', () => {
  const whole = encodeHeader(header, encodeBody(header));
  const bodyOctets = decodeHeaderStart(whole)?.bodyOctets ?? 0;
  const record = encodeRecord(someRecord, header, image);
  for (let position = 0; position < 4096 + bodyOctets; position += 1) {
    // The rest of a block is padding.
    if (position > 162 && position < 4096) continue;
    assert.equal(read(changed(whole, position)), undefined, `header octet ${position}`);
  }
  for (let position = 0; position < 161; position += 1) {
    assert.equal(decodeRecord(changed(record, position), header), undefined, `record octet ${position}`);
  }
});

test('a record of another transaction is none', () => {
  const record = encodeRecord(someRecord, header, image);
  assert.notEqual(decodeRecord(record, header), undefined);
  assert.equal(decodeRecord(record, { ...header, transaction: Buffer.alloc(16, 'u') }), undefined);
});

test('anything at all in the place of a journal is refused quietly', () => {
  assertProperty(
    property(uint8Array({ maxLength: 600 }), (octets) => {
      assert.equal(decodeHeaderStart(octets), undefined);
      assert.equal(decodeRecord(octets, header), undefined);
    }),
  );
});

test('a forged size takes no memory', () => {
  const forged = { ...header, chunkOctets: 2 ** 40 };
  assert.equal(decodeHeaderStart(encodeHeader(forged, encodeBody(forged))), undefined);
});

const image = Buffer.from('image');
const someRecord = {
  index: 7,
  doneOctets: 1,
  octets: 5,
  hasImage: true,
  mailboxOctets: 300,
  finalOctets: 200,
  tailDigest: Buffer.alloc(32, 'g'),
};

function read(octets: Buffer): Header | undefined {
  const start = decodeHeaderStart(octets);
  if (start === undefined) return undefined;
  const { bodyOctets, bodyDigest: _digest, ...rest } = start;
  const body = octets.subarray(start.blockOctets, start.blockOctets + bodyOctets);
  const whole = decodeHeader(start, body);
  return whole === undefined ? undefined : { ...rest, mailboxPath: whole.mailboxPath, kept: whole.kept };
}

function changed(octets: Buffer, position: number): Buffer {
  const copy = Buffer.from(octets);
  copy[position] = (copy[position] ?? 0) ^ 0x20;
  return copy;
}
