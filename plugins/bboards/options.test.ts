import assert from 'node:assert/strict';
import { test } from 'node:test';

import bboards from './index.ts';

const refused = [
  [{}, /expected the folder of the bboards/],
  [{ folder: 'x', boards: { 'a.b': {} } }, /expected a name of 1 to 50 letters/],
  [{ folder: 'x', boards: { a: { aliases: ['..'] } } }, /expected a name of 1 to 50 letters/],
  [{ folder: 'x', boards: { a: { leaders: ['two words'] } } }, /printable ASCII characters without spaces/],
  [{ folder: 'x', boards: { a: { address: 'x\r\n.' } } }, /printable ASCII characters without spaces/],
  [{ folder: 'x', boards: { a: { aliases: ['b'] }, B: {} } }, /"B" is another board's already/],
] as const;

for (const [options, message] of refused) {
  test(`options that say ${JSON.stringify(options)} are refused with what was expected`, () => {
    const [problem] = bboards(JSON.parse(JSON.stringify(options))).problems;
    assert.match(problem?.message ?? 'none', message);
  });
}
