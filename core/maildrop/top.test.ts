import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { chunkLengths, cut, cutEverywhere, latin1, mailOctets, streamOf } from '../../test/mail-octets.ts';
import { PiecesAtHand } from '../../test/pieces-at-hand.ts';
import { Top } from './top.ts';

// [what is asked for, the message as stored, lines, what TOP gives]
const tops: readonly (readonly [string, string, number, string])[] = [
  ['TOP n 0 of a CRLF message', 'a: b\r\n\r\nc\r\nd\r\n', 0, 'a: b\r\n\r\n'],
  ['TOP n 0 of an LF message', 'a: b\n\nc\nd\n', 0, 'a: b\n\n'],
  ['TOP n 1', 'a: b\n\nc\nd\n', 1, 'a: b\n\nc\n'],
  ['TOP n 2 where body lines are empty', 'a: b\n\n\n\nc\n', 2, 'a: b\n\n\n\n'],
  ['TOP n 2 of a body that has just two lines', 'a: b\r\n\r\nc\r\nd\r\n', 2, 'a: b\r\n\r\nc\r\nd\r\n'],
  ['TOP n 9 of a body with fewer lines', 'a: b\n\nc\nd', 9, 'a: b\n\nc\nd'],
  ['TOP n 1 of a last line without line end', 'a: b\n\nc', 1, 'a: b\n\nc'],
  ['TOP n k of a message without empty line, which is all header', 'a: b\nc: d\ne', 1, 'a: b\nc: d\ne'],
  ['TOP n 0 of a header without body', 'a: b\r\n\r\n', 0, 'a: b\r\n\r\n'],
  ['TOP n 1 of a message without header, LF', '\nc\nd\n', 1, '\nc\n'],
  ['TOP n 1 of a message without header, CRLF', '\r\nc\r\nd\r\n', 1, '\r\nc\r\n'],
  ['TOP n 0 of an empty message', '', 0, ''],
  [
    'TOP n 0 of a message whose header holds a line of CR CR',
    'a: b\r\n\r\r\nc: d\r\n\r\ne',
    0,
    'a: b\r\n\r\r\nc: d\r\n\r\n',
  ],
  ['TOP n 0 of a line that ends in CR CR LF', 'a: b\r\r\nc: d\n\ne', 0, 'a: b\r\r\nc: d\n\n'],
];

for (const [title, stored, lines, expected] of tops) {
  test(`${title} is right wherever the store cuts the message (M8-M10)`, async () => {
    for (const chunks of cutEverywhere(latin1(stored))) assert.equal(await top(chunks, lines), expected);
    const single = [...latin1(stored)].map((octet) => Uint8Array.of(octet));
    assert.equal(await top(single, lines), expected);
  });
}

test('any chunking gives the same top, and it is the beginning of the message', async () => {
  await fc.assert(
    fc.asyncProperty(mailOctets, chunkLengths, fc.nat({ max: 10 }), async (octets, lengths, lines) => {
      const found = await top(cut(octets, lengths), lines);
      assert.equal(found, topByLine(octets, lines));
    }),
    { numRuns: 500 },
  );
});

test('what of a message is in memory makes no difference to its top', async () => {
  const here = fc.array(fc.boolean(), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(
      mailOctets,
      chunkLengths,
      fc.nat({ max: 5 }),
      here,
      async (octets, lengths, lines, isHere) => {
        const message = new PiecesAtHand(cut(octets, lengths), (index) => isHere[index] ?? true);
        const pieces = new Top(message, lines);
        let found = '';
        for (let next = pieces.nextHere() ?? (await pieces.next()); next.done !== true;) {
          found += latin1Of(next.value);
          next = pieces.nextHere() ?? (await pieces.next());
        }
        assert.equal(found, topByLine(octets, lines));
      },
    ),
    { numRuns: 500 },
  );
});

test('the top of a message in memory is not waited for, and closes the message', () => {
  const message = new PiecesAtHand(['a: b\n', '\nc\n', 'd\n'].map(latin1));
  const pieces = new Top(message, 1);
  const found = [pieces.nextHere(), pieces.nextHere(), pieces.nextHere()];
  assert.deepEqual(
    found.map((next) => (next?.done === true ? 'over' : latin1Of(next?.value ?? Buffer.from('waits')))),
    ['a: b\n', '\nc\n', 'over'],
  );
  assert.deepEqual([message.taken, message.waits, message.isClosed], [2, 0, true]);
});

test('a client that asks for the top of a huge message does not make the store read it all', async () => {
  const chunks = ['a: b\r\n', '\r\n', 'one\r\n', 'two\r\n', 'three\r\n'].map(latin1);
  for (const [lines, expectedChunks] of [
    [0, 2],
    [1, 3],
    [2, 4],
  ] as const) {
    let readChunks = 0;
    let closed = false;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for await (const chunk of streamOf(chunks)) {
          readChunks += 1;
          yield chunk;
        }
      } finally {
        closed = true;
      }
    };
    assert.equal(
      await textOf(new Top(source(), lines)),
      latin1Of(Buffer.concat(chunks.slice(0, expectedChunks))),
    );
    assert.deepEqual({ readChunks, closed }, { readChunks: expectedChunks, closed: true });
  }
});

test('a client that leaves in the middle of TOP closes the message', async () => {
  let closed = false;
  const source = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield latin1('a: b\r\n');
    } finally {
      closed = true;
    }
  };
  for await (const chunk of new Top(source(), 0)) if (chunk.length > 0) break;
  assert(closed);
});

test('a huge number of lines is the whole message', async () => {
  const message = latin1(`a: b\n\n${'c\n'.repeat(1000)}`);
  assert.equal(await top([message], Number.MAX_SAFE_INTEGER), latin1Of(message));
});

function top(chunks: readonly Uint8Array[], lines: number): Promise<string> {
  return textOf(new Top(streamOf(chunks), lines));
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return latin1Of(Buffer.concat(chunks));
}

/** The same by splitting the whole message into lines, each with its line end. */
function topByLine(octets: Uint8Array, lines: number): string {
  const all = latin1Of(octets).split(/(?<=\n)/);
  const blank = all.findIndex((line) => line === '\n' || line === '\r\n');
  return blank === -1 ? all.join('') : all.slice(0, blank + 1 + lines).join('');
}

function latin1Of(octets: Uint8Array): string {
  return Buffer.from(octets).toString('latin1');
}
