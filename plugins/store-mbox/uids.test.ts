import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { sha256 } from './canonical.ts';
import { DigestTable } from './digest-table.ts';
import { Rows, RowsBuilder } from './rows.ts';
import { Copies, UidAssigner, uidText } from './uids.ts';

/** A mailbox of messages that are single letters, given uids as a scan gives them. */
function scan(messages: readonly string[], known = Rows.none, keptCount = 0): Rows {
  const builder = new RowsBuilder(known.first(keptCount));
  const assigner = new UidAssigner(known, keptCount, builder);
  for (const message of messages.slice(keptCount)) {
    const canonical = Buffer.from(message);
    const digest = sha256(canonical);
    const uid = assigner.assign(digest, canonical);
    builder.add({
      offset: 0,
      envelopeOctets: 5,
      contentOctets: 0,
      separatorOctets: 0,
      octets: 0,
      digest,
      uid,
    });
  }
  return builder.build();
}

const uidsOf = (rows: Rows): string[] =>
  Array.from({ length: rows.count }, (_, index) => uidText(rows.uidOf(index)));

const without = (rows: Rows, deleted: number): Rows =>
  new Rows(Buffer.concat([rows.octets.subarray(0, deleted * 80), rows.octets.subarray((deleted + 1) * 80)]));

const drop = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 40 });

describe('the uids of a drop', () => {
  it('are unique, and the same in each scan', () => {
    fc.assert(
      fc.property(drop, (messages) => {
        const rows = scan(messages);
        assert.equal(new Set(uidsOf(rows)).size, messages.length);
        assert.deepEqual(uidsOf(scan(messages)), uidsOf(rows));
        assert.deepEqual(uidsOf(scan(messages, rows)), uidsOf(rows));
      }),
    );
  });

  it('do not change when any message is deleted and the mailbox is scanned again', () => {
    fc.assert(
      fc.property(drop, fc.nat(), (messages, drawn) => {
        const deleted = drawn % messages.length;
        const rows = scan(messages);
        const kept = without(rows, deleted);
        assert.deepEqual(uidsOf(scan(messages.toSpliced(deleted, 1), kept)), uidsOf(kept));
      }),
    );
  });

  it('do not change when mail is added, whether all is scanned or only that', () => {
    fc.assert(
      fc.property(drop, drop, fc.nat(), (messages, added, drawn) => {
        const deleted = drawn % messages.length;
        const rows = without(scan(messages), deleted);
        const all = [...messages.toSpliced(deleted, 1), ...added];
        const extended = scan(all, rows, rows.count);
        assert.deepEqual(uidsOf(extended).slice(0, rows.count), uidsOf(rows));
        assert.deepEqual(uidsOf(scan(all, rows)), uidsOf(extended));
        assert.equal(new Set(uidsOf(extended)).size, all.length);
      }),
    );
  });

  it('are found in time that does not grow with the square of equal messages', () => {
    const many = Array.from({ length: 20_000 }, () => 'a');
    const rows = scan(many);
    assert.equal(new Set(uidsOf(scan([...many, ...many], rows))).size, 40_000);
  });
});

/** The same from the octets as one number, which JavaScript writes with these digits, too. */
const asNumber = (uid: Uint8Array): string => {
  const bits = BigInt(`0x0${Buffer.from(uid).toString('hex')}`) << BigInt((5 - ((uid.length * 8) % 5)) % 5);
  return bits.toString(32).padStart(Math.ceil((uid.length * 8) / 5), '0');
};

it('uids are written in base 32 with the digits in order', () => {
  assert.equal(uidText(Buffer.alloc(16)), '0'.repeat(26));
  assert.equal(uidText(Buffer.alloc(16, 0xff)), `${'v'.repeat(25)}s`);
  assert.equal(uidText(Buffer.from('foobar')), 'cpnmuoj1e8');
  const uids = fc.uint8Array({ minLength: 1, maxLength: 20 });
  fc.assert(fc.property(uids, (uid) => uidText(uid) === asNumber(uid)));
});

describe('rows are found by digest', () => {
  it('whatever the digests are, also such as begin alike', () => {
    const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((octets) => octets.fill(7, 0, 4));
    fc.assert(
      fc.property(fc.array(digest, { maxLength: 200 }), digest, (digests, other) => {
        const builder = new RowsBuilder();
        for (const one of digests) {
          const extent = { offset: 0, envelopeOctets: 5, contentOctets: 0, separatorOctets: 0 };
          builder.add({ ...extent, octets: 0, digest: one, uid: one.subarray(0, 16) });
        }
        const rows = builder.build();
        const copies = new Copies(rows);
        for (const one of [...digests, other]) {
          const expected = [...digests.keys()].filter((index) => rows.sameDigest(index, one));
          assert.deepEqual(copies.of(one), expected);
          assert.deepEqual(rows.allOf(one), expected);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('a table grows with its rows', () => {
    const digests = Array.from({ length: 1000 }, (_, index) => sha256(Buffer.from(String(index))));
    const digestOf = (index: number): Uint8Array => digests[index] ?? Buffer.of();
    const table = new DigestTable(
      { sameDigest: (index, digest) => Buffer.from(digestOf(index)).equals(digest) },
      1,
    );
    for (const [index, digest] of digests.entries()) assert.equal(table.add(index, digest), undefined);
    for (const [index, digest] of digests.entries()) assert.equal(table.find(digest), index);
    assert.equal(table.add(5000, digestOf(7)), 7);
    assert.equal(table.find(sha256(Buffer.from('none'))), undefined);
  });
});
