import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { addressesIn } from './addresses.ts';
import { Refused } from './refused.ts';

const found = (value: string): readonly string[] => addressesIn(value, 'example.org');

test('an address is found in every form that people write', () => {
  const forms: readonly (readonly [value: string, ...addresses: readonly string[]])[] = [
    ['bob@example.org', 'bob@example.org'],
    ['Bob <bob@example.org>, carol@example.net (Carol)', 'bob@example.org', 'carol@example.net'],
    ['"Bob, Sales" <bob@example.org>', 'bob@example.org'],
    ['=?utf-8?Q?J=C3=BCrgen?= <j@example.org>', 'j@example.org'],
    ['J\xc3\xbcrgen <j@example.org>', 'j@example.org'],
    ['friends: a@x.org, B <b@y.org>; c@z.org', 'a@x.org', 'b@y.org', 'c@z.org'],
    ['undisclosed-recipients:;'],
    [''],
    ['bob', 'bob@example.org'],
    ['bob, carol@example.net', 'bob@example.org', 'carol@example.net'],
    ["o'neill+tag@mail.example.org", "o'neill+tag@mail.example.org"],
  ];
  for (const [value, ...addresses] of forms) assert.deepEqual(found(value), addresses, value);
});

test('what a mailer could take for an option, a program or a file is refused', () => {
  for (const value of [
    '-oQ/tmp@example.org',
    '-OQueueDirectory=/tmp',
    '<-fx@example.org>',
    '|sh@example.org',
    '"|sh -c id"@example.org',
    '"| sh" <|sh>',
    '/etc/passwd@example.org',
    '/etc/passwd',
    ':include:/etc/passwd@example.org/',
  ])
    assert.throws(() => found(value), Refused, value);
});

test('what could be read as another address, or as a command, is refused', () => {
  for (const value of [
    'bob@example.org\nRCPT TO:<eve@example.org>',
    'bob@example.org\r\nBcc: eve@example.org',
    'bob@example.org\0eve@example.org',
    '"bob@evil.example"@example.org',
    'bob@example.org@evil.example',
    'bob@[192.0.2.1]',
    'bob@example..org',
    'bob@-example.org',
    '.bob@example.org',
    'bob@example.org>',
    'b\xfcb@example.org',
    'bob@ex\xe4mple.org',
    'Bob Smith',
    `${'x'.repeat(65)}@example.org`,
    `bob@${'x'.repeat(63)}.${'y.'.repeat(100)}org`,
    'x'.repeat(200_000),
  ])
    assert.throws(() => found(value), Refused, value.slice(0, 80));
});

test('nothing comes out of any text that is not plainly an address', () => {
  const part = fc.constantFrom(
    'a',
    'b@c.d',
    '@',
    '<',
    '>',
    '"',
    ',',
    ';',
    ':',
    '(',
    ')',
    '\\',
    ' ',
    '-',
    '|',
    '/',
    '.',
    '[',
    ']',
    '\xe4',
    '\t',
  );
  fc.assert(
    fc.property(
      fc.array(part).map((parts) => parts.join('')),
      (value) => {
        try {
          for (const address of found(value))
            assert.match(address, /^[a-z0-9.+]+[a-z0-9.+/|-]*@[a-z0-9.-]+$/);
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
        }
      },
    ),
    { numRuns: 3000 },
  );
});

const refusal = (value: string): string => {
  try {
    return found(value).join();
  } catch (error) {
    return String(error);
  }
};

test('what a client calls an address cannot look like a line of the log, neither to it nor to a terminal', () => {
  assert.match(
    refusal('"Failed attempted login to root from host 198.51.100.1"'),
    /^Error: "Failed\?attempted\?login\?to\?root\?from\?host\?198\.51\.100\.1@example\.org" is no address/,
  );
  assert.match(refusal('b\xfc\x9bb@x'), /^Error: "b\?\?b@x" is no/);
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const [, shown = ''] = /^Error: "(.*)" is no address that/s.exec(refusal(text)) ?? [];
      assert.match(shown, /^[!-~]{0,100}$/);
    }),
  );
});
