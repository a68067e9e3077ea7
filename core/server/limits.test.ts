import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Limits } from './limits.ts';

test('one address cannot take all connections, and gets its places back as they are left', () => {
  const limits = new Limits({ connections: 3, connectionsPerAddress: 2 });
  const leave = limits.admit('192.0.2.1');
  assert.ok(leave);
  assert.ok(limits.admit('192.0.2.1'));
  assert.equal(limits.admit('192.0.2.1'), undefined);
  assert.ok(limits.admit('192.0.2.2'), 'another address has its own places');
  assert.equal(limits.admit('192.0.2.3'), undefined, 'all places are taken');
  leave();
  assert.ok(limits.admit('192.0.2.1'));
});
