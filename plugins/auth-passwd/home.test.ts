import assert from 'node:assert/strict';
import { test } from 'node:test';

import { homeFrom, homeOfField } from './home.ts';

test('a home is told from the parts of a name as the spool of store-mbox is: at its last @', () => {
  const template = '/srv/{domain}/{localpart}/{user}';
  assert.equal(homeFrom(template, 'ann@example.com'), '/srv/example.com/ann/ann@example.com');
  assert.equal(homeFrom(template, 'a@b@example.com'), '/srv/example.com/a@b/a@b@example.com');
  assert.equal(homeFrom(template, 'ann'), '/srv//ann/ann');
});

test('what a name holds is no template', () => {
  assert.equal(homeFrom('/srv/{user}', '{domain}@$&'), '/srv/{domain}@$&');
});

test('a home is the path that the octets of its line name, and nothing that leads elsewhere', () => {
  assert.equal(homeOfField(Buffer.from('/home/jos\u00e9').toString('latin1')), '/home/jos\u00e9');
  for (const wrong of ['', 'home/ann', '/home/../root', '/home/..', '/home/a\0', '/home/jos\xe9']) {
    assert.equal(homeOfField(wrong), undefined);
  }
});
