import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { accountIn } from './account.ts';

const text = [
  '+::0:0:::',
  '+@lab::0:0::/:',
  'ann:x:1000:1001:Ann,,,:/home/ann:/bin/sh',
  'ann:x:0:0::/root:/bin/sh',
  'short:x:1000:1001::/home/short',
  'huge:x:4294967295:1::/home/huge:',
  'negative:x:-1:1::/home/negative:',
  'homeless:x:1002:1002::home:/bin/sh',
  '',
].join('\n');

test('a user is who the first line with his name says', () => {
  assert.deepEqual(accountIn(text, 'ann'), { user: 'ann', uid: 1000, gid: 1001, home: '/home/ann' });
});

for (const user of [
  '+',
  '+@lab',
  'short',
  'huge',
  'negative',
  'homeless',
  'an',
  'ann:x',
  'nobody',
  '',
  'x\nann',
]) {
  test(`${JSON.stringify(user)} is nobody's name`, () => {
    assert.equal(accountIn(text, user), undefined);
  });
}

test('whatever the file holds, a user has ids and a home, or is not there', () => {
  const field = fc.constantFrom('ann', ':', '\n', '0', '99999999999', '/', 'x', '-', '+', '\r');
  fc.assert(
    fc.property(fc.array(field, { maxLength: 40 }), (fields) => {
      const account = accountIn(fields.join(''), 'ann');
      if (account === undefined) return;
      assert.ok(account.uid >= 0 && account.uid <= 4_294_967_294 && account.home.startsWith('/'));
    }),
  );
});
