import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { LineEnds } from './line-ends.ts';

const joined = (chunks: readonly string[], lineEnd: '\n' | '\r\n'): string => {
  const lineEnds = new LineEnds(lineEnd);
  return chunks.map((chunk) => lineEnds.add(Buffer.from(chunk, 'latin1'))).join('') + lineEnds.end();
};

test('every kind of line end becomes the one that is asked for', () => {
  assert.equal(joined(['a\r\nb\nc\rd\r\r\ne\n\r'], '\n'), 'a\nb\nc\nd\n\ne\n\n');
  assert.equal(joined(['a\r\nb\nc\rd\r\r\ne\n\r'], '\r\n'), 'a\r\nb\r\nc\r\nd\r\n\r\ne\r\n\r\n');
});

test('however a text is cut into chunks, its lines are the same', () => {
  const chunk = fc.array(fc.constantFrom('\r', '\n', 'a', '.', '\xff'), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(chunk), (chunks) => {
      const pieces = chunks.map((parts) => parts.join(''));
      assert.equal(joined(pieces, '\n'), joined([pieces.join('')], '\n'));
      assert.equal(joined(pieces, '\r\n'), joined(pieces, '\n').replaceAll('\n', '\r\n'));
    }),
  );
});
