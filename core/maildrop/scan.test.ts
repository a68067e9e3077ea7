import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { chunkLengths, cut, cutEverywhere, latin1, mailOctets, streamOf } from '../../test/mail-octets.ts';
import { countOctets, LineStartScanner, type LineStartScannerOptions } from './scan.ts';

interface Found {
  readonly offset: number;
  readonly bareLineFeeds: number;
  readonly blankLineOctets: number;
}

test('a message is counted as RETR sends it, however the store reads it (B2, B3)', async () => {
  for (const chunks of cutEverywhere(latin1('a: b\n\n.c\r\nd'))) {
    assert.equal(await countOctets(streamOf(chunks)), 'a: b\r\n\r\n.c\r\nd\r\n'.length);
  }
  assert.equal(await countOctets(streamOf([])), 0);
});

test('the From_ lines of an mbox are found wherever it is cut, with the empty line before them (B8, B10)', () => {
  const mbox = latin1(
    'From a\nx\n\nFrom b\r\ny\r\n\r\nFrom c\nz\nFrom d\n>From e\n From f\nFromg\n\r\r\nFrom h\n',
  );
  const expected = [
    { offset: 0, bareLineFeeds: 0, blankLineOctets: 0 },
    { offset: 10, bareLineFeeds: 3, blankLineOctets: 1 },
    { offset: 23, bareLineFeeds: 3, blankLineOctets: 2 },
    { offset: 32, bareLineFeeds: 5, blankLineOctets: 0 },
    { offset: 64, bareLineFeeds: 9, blankLineOctets: 0 },
  ];
  for (const chunks of cutEverywhere(mbox))
    assert.deepEqual(scan(chunks), { found: expected, bareLineFeeds: 10 });
  assert.deepEqual(scan([...mbox].map((octet) => Uint8Array.of(octet))).found, expected);
});

test('any chunking of any file gives the same lines as a search through the whole', () => {
  const prefixes = fc.constantFrom('From ', 'From', 'Fr', 'F', '.');
  fc.assert(
    fc.property(mailOctets, chunkLengths, prefixes, (octets, lengths, prefix) => {
      assert.deepEqual(scan(cut(octets, lengths), prefix), search(octets, prefix));
    }),
    { numRuns: 1000 },
  );
});

test('a scan that goes on where the last one ended finds what one pass finds', () => {
  const mbox = latin1('From a\nx\n\nFrom b\r\ny\r\n\r\nFrom c\n');
  const { found } = scan([mbox]);
  for (let offset = 1; offset < mbox.length; offset += 1) {
    const before = mbox.subarray(Math.max(0, offset - 7), offset);
    const tail = scan([mbox.subarray(offset)], 'From ', { offset, before });
    const expected = found.filter((line) => line.offset + 'From '.length > offset);
    assert.deepEqual(
      tail.found.map(({ offset: at, blankLineOctets }) => ({ offset: at, blankLineOctets })),
      expected.map(({ offset: at, blankLineOctets }) => ({ offset: at, blankLineOctets })),
    );
  }
});

test('the octets of every message of an mbox come from one pass over it', () => {
  const message = fc.array(fc.constantFrom('a\n', '\r\n', '\n', 'b\r\n', '.\n'), { maxLength: 9 });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 9 }), chunkLengths, (messages, lengths) => {
      const texts = messages.map((lines) => `From x\n${lines.join('')}`);
      const { found, bareLineFeeds } = scan(cut(latin1(texts.join('')), lengths));
      const ends = [...found.slice(1), { offset: texts.join('').length, bareLineFeeds }];
      const octets = found.map((start, index) => {
        const end = ends[index] ?? start;
        return end.offset - start.offset + end.bareLineFeeds - start.bareLineFeeds;
      });
      assert.deepEqual(
        octets,
        texts.map((text) => text.replace(/(?<!\r)\n/g, '\r\n').length),
      );
    }),
  );
});

test('an mbox of more than 4 GB has right offsets (B9)', () => {
  const scanner = new LineStartScanner('From ', { offset: 5 * 2 ** 30 });
  const { count, offsets } = scanner.scan(latin1('From a\nFrom b\n'));
  assert.deepEqual([count, ...offsets], [2, 5 * 2 ** 30, 5 * 2 ** 30 + 7]);
  assert.equal(scanner.offset, 5 * 2 ** 30 + 14);
});

test('an mbox of nothing but From_ lines is scanned whole', () => {
  const { found } = scan([latin1('From \n'.repeat(50_000))]);
  assert.equal(found.length, 50_000);
  assert.deepEqual(found.at(-1), { offset: 299_994, bareLineFeeds: 49_999, blankLineOctets: 0 });
});

test('a prefix that cannot begin a line, or is too long, is refused by name', () => {
  for (const prefix of ['', 'a\n', '\r', 'From x']) {
    assert.throws(() => new LineStartScanner(prefix), { name: 'RangeError', message: /1 to 5 octets/ });
  }
});

function scan(
  chunks: readonly Uint8Array[],
  prefix = 'From ',
  options: LineStartScannerOptions = {},
): { found: Found[]; bareLineFeeds: number } {
  const scanner = new LineStartScanner(prefix, options);
  const found = chunks.flatMap((chunk) => {
    const { count, offsets, bareLineFeeds, blankLineOctets } = scanner.scan(chunk);
    return Array.from({ length: count }, (_, index) => ({
      offset: offsets[index] ?? NaN,
      bareLineFeeds: bareLineFeeds[index] ?? NaN,
      blankLineOctets: blankLineOctets[index] ?? NaN,
    }));
  });
  return { found, bareLineFeeds: scanner.bareLineFeeds };
}

/** The same by looking at the whole file's text. */
function search(octets: Uint8Array, prefix: string): { found: Found[]; bareLineFeeds: number } {
  const text = Buffer.from(octets).toString('latin1');
  const found: Found[] = [];
  for (
    let at = `\n${text}`.indexOf(`\n${prefix}`);
    at !== -1;
    at = `\n${text}`.indexOf(`\n${prefix}`, at + 1)
  ) {
    const before = text.slice(0, at);
    const blank = /\n(\r?\n)$/.exec(`\n${before}`);
    const blankLineOctets = before === '' ? 0 : (blank?.[1]?.length ?? 0);
    found.push({ offset: at, bareLineFeeds: bareLineFeedsOf(before), blankLineOctets });
  }
  return { found, bareLineFeeds: bareLineFeedsOf(text) };
}

function bareLineFeedsOf(text: string): number {
  return text.match(/(?<!\r)\n/g)?.length ?? 0;
}
