import assert from 'node:assert/strict';
import { SocketAddress } from 'node:net';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { pointerName } from './pointer-name.ts';

test('an address has one place in the DNS, in whatever way it is written', () => {
  assert.equal(pointerName('192.0.2.17'), '17.2.0.192.in-addr.arpa');
  const place = '7.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa';
  for (const address of ['2001:db8::17', '2001:DB8:0:0::0017', '2001:db8::17%eth0', '2001:db8::0.0.0.23'])
    assert.equal(pointerName(address), place);
});

const canonical = (address: string): string => new SocketAddress({ address, family: 'ipv6' }).address;

test('the place of an IPv6 address gives the address back', () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const digits = pointerName(address).replace('.ip6.arpa', '').split('.').toReversed();
      assert.equal(digits.length, 32);
      const whole = (digits.join('').match(/.{4}/g) ?? []).join(':');
      assert.equal(canonical(whole), canonical(address));
    }),
  );
});
