import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { Secret } from './secret.ts';

test('a secret is shown to nobody who does not ask for it', () => {
  const secret = new Secret('hunter2');
  const shown = [
    String(secret),
    secret.toString(),
    JSON.stringify({ secret }),
    inspect({ secret }, { showHidden: true, depth: 9 }),
    Object.keys(secret).join(),
  ];
  for (const text of shown) assert.doesNotMatch(text, /hunter2|104, 117/);
  assert.equal(Buffer.from(secret.reveal()).toString(), 'hunter2');
});

test('a secret that was erased is gone, from what was revealed too', () => {
  const secret = new Secret(Buffer.from('hunter2'));
  const revealed = secret.reveal();
  secret.erase();
  assert.deepEqual([...revealed], [0, 0, 0, 0, 0, 0, 0]);
});

test('erasing a secret leaves the octets that it was made of alone', () => {
  const given = Buffer.from('hunter2');
  new Secret(given).erase();
  assert.equal(given.toString(), 'hunter2');
});
