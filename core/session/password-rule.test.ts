import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isThisMachine } from './password-rule.ts';

const cases: readonly (readonly [address: string, isHere: boolean])[] = [
  ['127.0.0.1', true],
  ['127.9.8.7', true],
  ['::1', true],
  ['unix', true],
  ['pipe', true],
  ['localhost', true],
  ['127.0.0.1.example.org', false],
  ['1127.0.0.1', false],
  ['192.0.2.1', false],
  ['10.0.0.1', false],
  ['fe80::1%eth0', false],
  ['::', false],
  ['0.0.0.0', false],
  ['', false],
];
for (const [address, isHere] of cases) {
  test(`what goes to ${JSON.stringify(address)} ${isHere ? 'stays on this machine' : 'may be read on its way'}`, () => {
    assert.equal(isThisMachine(address), isHere);
  });
}
