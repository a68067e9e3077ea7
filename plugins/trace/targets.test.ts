import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { includes, targetNamed, targetsIn, textOf } from './targets.ts';

test('an address is one however it is spelt, and anything else is a user or nothing', () => {
  for (const [word, kind, name] of [
    ['192.0.2.1', 'address', '192.0.2.1'],
    ['::ffff:192.0.2.1', 'address', '192.0.2.1'],
    ['2001:DB8:0:0::1', 'address', '2001:db8::1'],
    ['fe80::1%eth0', 'address', 'fe80::1%eth0'],
    ['mrose', 'user', 'mrose'],
    ['m.rose@example.org', 'user', 'm.rose@example.org'],
  ] as const)
    assert.deepEqual(targetNamed(word), { kind, name }, word);
  for (const word of [
    '',
    '../mrose',
    'm rose',
    '-x',
    'x'.repeat(100),
    '192.0.2.1/24',
    '192.0.2.300',
    '1.2.3',
  ])
    assert.equal(targetNamed(word), undefined, word);
});

test('a user is no address, and an address no user', () => {
  const untilMs = Infinity;
  const [user, address] = [targetNamed('mrose'), targetNamed('192.0.2.1')];
  assert.ok(user !== undefined && address !== undefined);
  const targets = [user, address].map((target) => ({ ...target, untilMs }));
  assert.ok(includes(targets, { user: 'mrose', address: '192.0.2.9' }));
  assert.ok(includes(targets, { user: undefined, address: '192.0.2.1' }));
  assert.ok(!includes(targets, { user: '192.0.2.1', address: 'mrose' }));
  assert.ok(!includes(targets, { user: undefined, address: '192.0.2.9' }));
});

test('targets are read as they were written', () => {
  const target = fc.record(
    {
      kind: fc.constantFrom('user' as const, 'address' as const),
      name: fc.string({ minLength: 1, maxLength: 320 }),
      untilMs: fc.nat(),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(target), (targets) => assert.deepEqual(targetsIn(textOf(targets)), targets)),
  );
});

test('whatever else is in the file is refused as a whole', () => {
  const anything = fc.oneof(
    fc.string(),
    fc.json(),
    fc.json().map((text) => `{"targets":${text}}`),
  );
  fc.assert(
    fc.property(anything, (text) => {
      if (/^\{"targets":\s*\[\s*\]\s*\}$/.test(text)) return;
      assert.throws(() => targetsIn(text), /^TypeError: it does not say who is to be traced: remove it$/);
    }),
  );
});
