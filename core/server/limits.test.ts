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

const onePlace = { connections: 10, connectionsPerAddress: 1 };

const same: readonly (readonly [who: string, first: string, second: string])[] = [
  ['one IPv4 client, whichever way the socket writes it', '192.0.2.1', '::ffff:192.0.2.1'],
  ['addresses of one IPv6 network', '2001:db8:0:1::1', '2001:db8:0:1:ffff:ffff:ffff:ffff'],
  ['addresses of one IPv6 network, written short and long', '2001:db8::1', '2001:0db8:0000:0000:1::2'],
  ['link-local clients of two interfaces', 'fe80::1%eth0', 'fe80::2%eth1'],
  ['the loopback and its neighbour', '::1', '::2'],
];

for (const [who, first, second] of same) {
  test(`${who} share their places`, () => {
    const limits = new Limits(onePlace);
    const leave = limits.admit(first);
    assert.ok(leave);
    assert.equal(limits.admit(second), undefined);
    leave();
    assert.ok(limits.admit(second));
  });
}

const different: readonly (readonly [who: string, first: string, second: string])[] = [
  ['IPv4 clients next to each other', '192.0.2.1', '192.0.2.2'],
  ['IPv4 clients of a socket for both families', '::ffff:192.0.2.1', '::ffff:192.0.2.2'],
  ['IPv6 networks next to each other', '2001:db8:0:1::1', '2001:db8:0:2::1'],
  ['IPv6 networks that begin and end alike', '2001:db8::1', '2001:db8:0:1::1'],
  ['clients of a unix socket', 'unix', 'unix'],
];

for (const [who, first, second] of different) {
  test(`${who} have places of their own`, () => {
    const limits = new Limits(onePlace);
    assert.ok(limits.admit(first));
    assert.ok(limits.admit(second));
  });
}

test('clients of a unix socket count among all, and give their places back', () => {
  const limits = new Limits({ connections: 2, connectionsPerAddress: 1 });
  const leave = limits.admit('unix');
  assert.ok(leave);
  assert.ok(limits.admit('unix'));
  assert.equal(limits.admit('unix'), undefined);
  leave();
  assert.ok(limits.admit('192.0.2.1'));
});
