import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { traceLine } from './trace-line.ts';

const at = new Date('2026-11-02T10:00:00.125Z');

test('a line says when, which process and session, who, and what', () => {
  const said = { session: '4711-1', address: '192.0.2.1', direction: 'received', text: 'RETR 1' } as const;
  assert.equal(
    traceLine({ ...said, user: 'mrose' }, at, 4711),
    '2026-11-02T10:00:00.125Z 4711 4711-1 mrose/192.0.2.1 received RETR 1\n',
  );
  assert.match(
    traceLine({ ...said, user: undefined }, at, 4711),
    / 4711-1 -\/192\.0\.2\.1 received RETR 1\n$/,
  );
});

test('whatever a client calls itself or sends, it is one line with six parts, and printable', () => {
  const anything = fc.string({ unit: 'binary', maxLength: 100 });
  fc.assert(
    fc.property(anything, anything, (user, text) => {
      const line = traceLine({ session: '1-1', address: '::1', user, direction: 'sent', text }, at, 1);
      assert.match(line, /^\S+ 1 1-1 \S*\/::1 sent [ -~]*\n$/);
    }),
    { numRuns: 50 },
  );
});

test('a client cannot fill the disk with one name or one line', () => {
  const long = '\u0007'.repeat(100_000);
  const line = traceLine(
    { session: '1-1', address: '::1', user: long, direction: 'sent', text: long },
    at,
    1,
  );
  assert.ok(line.length < 2500);
  assert.match(line, /\.\.\.\/::1 sent .*\.\.\.\n$/);
});
