import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isVerdict, denied, granted, unavailable } from './login.ts';
import { allowedName } from './user-name.ts';

const mrose = { user: 'mrose', uid: 1000, gid: 1000, home: '/home/mrose' };

for (const [what, identity] of [
  ['a negative uid', { ...mrose, uid: -1 }],
  ['a uid that setuid takes for "leave it"', { ...mrose, uid: 0xffffffff }],
  ['a uid that is no number', { ...mrose, uid: Number.NaN }],
  ['a gid with a fraction', { ...mrose, gid: 10.5 }],
  ['no name', { ...mrose, user: '' }],
  ['a home that depends on the current folder', { ...mrose, home: 'mrose' }],
] as const) {
  test(`nobody is let in with ${what}`, () => {
    assert.throws(() => granted(identity), TypeError);
  });
}

test('what looks like a verdict and was made by nobody is none', () => {
  for (const forged of [
    { kind: 'granted', identity: mrose },
    undefined,
    null,
    true,
    'granted',
    JSON.parse(JSON.stringify(granted(mrose))),
  ]) {
    assert.ok(!isVerdict(forged));
  }
  for (const verdict of [granted(mrose), denied('wrong'), unavailable(new Error('down'))])
    assert.ok(isVerdict(verdict));
});

test('a verdict holds what an identity is made of and nothing else, and nobody changes it', () => {
  const verdict = granted(Object.assign({ password: 'hunter2' }, mrose));
  assert.ok(verdict.kind === 'granted');
  assert.deepEqual(verdict.identity, mrose);
  assert.ok(Object.isFrozen(verdict) && Object.isFrozen(verdict.identity));
});

for (const name of [
  'mrose',
  'm.rose',
  'm_rose+tag',
  'M-Rose9',
  '=x',
  'a@example.org',
  'x'.repeat(64),
  'a@b-c.d',
]) {
  test(`${name} may be a user`, () => assert.ok(allowedName(name)));
}

for (const name of [
  '',
  '.',
  '..',
  '.hidden',
  '-rf',
  'a/b',
  'a\\b',
  'a..b',
  'a b',
  'a@',
  'a@b@c',
  'a@.b',
  'a*',
  '(uid=*)',
  'a\0',
  'a\n',
  'a,b',
  'a:b',
  '%n',
  '$HOME',
  'ü',
  'x'.repeat(65),
]) {
  test(`${JSON.stringify(name)} is asked of no back end`, () => assert.ok(!allowedName(name)));
}
