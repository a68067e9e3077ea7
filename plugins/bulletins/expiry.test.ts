import assert from 'node:assert/strict';
import { test } from 'node:test';

import { expiryMs } from './expiry.ts';

test('a bulletin expires at the time of its Expires:, as mail writes it', () => {
  const timeMs = Date.UTC(2026, 11, 31, 22, 59, 0);
  for (const text of [
    'Thu, 31 Dec 2026 23:59:00 +0100',
    '31 Dec 2026 22:59 GMT',
    'Thu , 31 dec 2026 17:59:00 EST (Eastern)',
  ]) {
    assert.equal(expiryMs(text), timeMs, text);
  }
});

test('a day alone counts to its end', () => {
  assert.equal(expiryMs('2026-12-31'), new Date(2027, 0, 1).getTime() - 1);
  assert.equal(expiryMs('2028-02-29'), new Date(2028, 2, 1).getTime() - 1);
});

test('what is no date does not make a bulletin expire', () => {
  for (const text of [
    '',
    'never',
    '0',
    '1',
    '2026',
    '2026-02-31',
    '2026-13-01',
    'June 2026',
    '31 Foo 2026 10:00 GMT',
  ]) {
    assert.equal(expiryMs(text), undefined, text);
  }
});
