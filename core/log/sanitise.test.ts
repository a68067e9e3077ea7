import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { Secret } from '../secret.ts';
import { isSane, sanitise } from './sanitise.ts';

test('what is passed on as it is is what would have become of it', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ minLength: 250, maxLength: 260 }),
    fc.string({ unit: 'grapheme-ascii' }),
  );
  const value = fc.oneof(text, fc.anything(), fc.dictionary(text, fc.oneof(fc.integer(), text)));
  fc.assert(
    fc.property(value, (one) => {
      if (isSane(one)) assert.deepEqual(sanitise(one, { stacks: false }), one);
    }),
    { numRuns: 2000 },
  );
});

test('what the core tells of a session is passed on as it is', () => {
  for (const one of ['quit', '192.0.2.1', 12, undefined, { messages: 3, octets: 4711 }])
    assert.ok(isSane(one));
  for (const one of [new Secret('x'), Buffer.from('x'), new Error('x'), [1], { password: 'x' }, null, 1n])
    assert.ok(!isSane(one));
});
