import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isNetwork, Networks } from './networks.ts';

const networks = new Networks(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', '::1', 'unix']);

test('an address is in the list when one of its networks has it, whichever way the socket writes it', () => {
  const inside = [
    '10.0.0.0',
    '10.255.255.255',
    '192.0.2.1',
    '::ffff:10.1.2.3',
    '2001:db8:ffff::1',
    '::1',
    'unix',
  ];
  for (const address of inside) assert.ok(networks.includes(address), address);
  const outside = [
    '11.0.0.0',
    '9.255.255.255',
    '192.0.2.2',
    '::ffff:11.0.0.1',
    '2001:db9::1',
    '::2',
    'pipe',
    '',
  ];
  for (const address of outside) assert.ok(!networks.includes(address), address);
});

test('whoever comes over a unix socket is believed only where the list says so', () => {
  assert.ok(!new Networks(['0.0.0.0/0', '::/0']).includes('unix'));
});

test('an address with a zone is in the network that it is in without', () => {
  assert.ok(new Networks(['fe80::/10']).includes('fe80::1%eth0'));
});

test('what an operator may mistake for a network is none', () => {
  const wrong = [
    '10.0.0.0/33',
    '::/129',
    '10.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '10.0.0.0/8.5',
  ];
  for (const text of [...wrong, '', '*', 'localhost', 'fe80::1%eth0', ' 10.0.0.1', '10.0.0.1-10.0.0.9'])
    assert.ok(!isNetwork(text), text);
});
