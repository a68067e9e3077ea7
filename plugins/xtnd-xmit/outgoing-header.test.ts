import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { outgoingHeader, type Rules } from './outgoing-header.ts';
import { Refused } from './refused.ts';

const rules: Rules = {
  own: 'alice@example.org',
  sender: 'alice@example.org',
  domain: 'example.org',
  forgedFrom: 'mark',
  maxRecipients: 5,
};

const made = (lines: readonly string[], changed: Partial<Rules> = {}) =>
  outgoingHeader(
    lines.map((line) => `${line}\n`).join(''),
    { ...rules, ...changed },
    new Date('2026-11-29T10:00:00Z'),
  );

const complete = [
  'From: Alice <alice@example.org>',
  'Date: Sun, 29 Nov 2026 10:00:00 +0000',
  'Message-ID: <1@x>',
];
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

test('a header that has everything is left as it is, but for Bcc', () => {
  const header = [...complete, 'To: bob@example.org,', '\tcarol@example.org', 'X-Odd : \x80 \0', 'subject:'];
  const hidden = [
    'Bcc: dave@example.org,',
    ' eve@example.org',
    'Return-Path: <x@y>',
    'BCC : bob@example.org',
  ];
  const { text, envelope } = made([...hidden, ...header]);
  assert.equal(text, textOf(header));
  assert.deepEqual(envelope, {
    from: 'alice@example.org',
    to: ['dave@example.org', 'eve@example.org', 'bob@example.org', 'carol@example.org'],
  });
});

test('a message that lacks From, Date and Message-ID gets them', () => {
  const { text } = made(['To: bob']);
  const [from, date, id, ...rest] = text.split('\n');
  assert.equal(from, 'From: alice@example.org');
  assert.equal(date, 'Date: Sun, 29 Nov 2026 10:00:00 +0000');
  assert.match(id ?? '', /^Message-ID: <[0-9a-f-]{36}@example\.org>$/);
  assert.deepEqual(rest, ['To: bob', '']);
});

test('mail goes back to whom the operator says', () => {
  const { envelope } = made([...complete, 'To: bob'], { sender: 'bounces@example.org' });
  assert.deepEqual(envelope, { from: 'bounces@example.org', to: ['bob@example.org'] });
});

const forged = ['From: Bank <bank@example.net>', ...complete.slice(1), 'To: bob@example.org'];

test('X2: of a message that claims to be from somebody else, Sender says who has sent it', () => {
  assert.equal(made(forged).text, textOf(['Sender: alice@example.org', ...forged]));
  assert.equal(
    made([...forged, 'Sender: bank@example.net']).text,
    textOf(['Sender: alice@example.org', ...forged]),
  );
  const twice = [...complete, 'From: bank@example.net', 'To: bob'];
  assert.equal(made(twice).text, textOf(['Sender: alice@example.org', ...twice]));
});

test('X2: it is refused, or let through, where the operator wants that', () => {
  assert.throws(() => made(forged, { forgedFrom: 'refuse' }), /From is to be alice@example\.org/);
  assert.throws(
    () => made([...complete, 'To: bob', 'Sender: bank@example.net'], { forgedFrom: 'refuse' }),
    /From is to be/,
  );
  assert.equal(made(forged, { forgedFrom: 'accept' }).text, textOf(forged));
  const own = ['From: ALICE@Example.org', ...complete.slice(1), 'To: bob'];
  assert.equal(made(own, { forgedFrom: 'refuse' }).text, textOf(own));
});

test('a From that mail could not be sent to is somebody else', () => {
  const odd = ['From: "a..b"@example.org', ...complete.slice(1), 'To: bob'];
  assert.equal(made(odd).text, textOf(['Sender: alice@example.org', ...odd]));
});

test('X2: a From that names nobody, or that programs may read in two ways, is not the user either', () => {
  for (const from of [
    '',
    'undisclosed:;',
    '<>',
    'alice@example.org bank@example.net',
    '<alice@example.org> bank@example.net',
    '<alice@example.org><bank@example.net>',
    '<@example.net:alice@example.org>',
    'alice@example.org ("x) bank@example.net (")',
  ]) {
    const lines = [`From: ${from}`, ...complete.slice(1), 'To: bob'];
    assert.throws(() => made(lines, { forgedFrom: 'refuse' }), /From is to be/, from);
    assert.match(made(lines).text, /^Sender: alice@example\.org$/m, from);
  }
  for (const from of ['"bank@example.net" <alice@example.org>', 'alice@example.org (@home)']) {
    const lines = [`From: ${from}`, ...complete.slice(1), 'To: bob'];
    assert.equal(made(lines, { forgedFrom: 'refuse' }).text, textOf(lines), from);
  }
});

test('X2: however the two are mixed, no address of another stands beside the own one where it could be read', () => {
  const parts = fc.constantFrom(
    'alice@example.org',
    'bank@example.net',
    ' ',
    '"',
    '(',
    ')',
    '<',
    '>',
    ',',
    ':',
    ';',
    '\\',
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 9 }), (found) => {
      const from = found.join('');
      const accepts = (): string =>
        made([`From: ${from}`, ...complete.slice(1), 'To: bob'], { forgedFrom: 'refuse' }).text;
      try {
        accepts();
      } catch (error) {
        assert.ok(error instanceof Refused);
        return;
      }
      // Quotes and comments are the only places where it is nobody's address.
      const visible = from.replaceAll(/"(?:[^"\\]|\\.)*"|\([^()"\\]*\)/g, '');
      assert.doesNotMatch(visible, /bank|["()\\]/);
    }),
    { numRuns: 2000 },
  );
});

test('X2: where a foreign From is refused, nobody gets one through as a message that is sent again', () => {
  const again = ['Resent-To: carol@example.org', 'Resent-From: alice@example.org'];
  assert.throws(() => made([...again, ...forged], { forgedFrom: 'refuse' }), /From is to be/);
  assert.throws(
    () => made([...again, ...complete, 'Sender: bank@example.net'], { forgedFrom: 'refuse' }),
    /From is to be/,
  );
  assert.doesNotThrow(() => made([...again, ...complete], { forgedFrom: 'refuse' }));
});

test('of a message that is sent again, only the recipients of the second time count', () => {
  const again = [
    'Resent-To: carol@example.org',
    'Resent-Bcc: dave@example.org',
    ...forged,
    'Bcc: eve@example.org',
  ];
  const { text, envelope } = made(again);
  assert.deepEqual(envelope.to, ['carol@example.org', 'dave@example.org']);
  assert.doesNotMatch(text, /^Sender:|Bcc|eve|dave/m);
  assert.match(
    text,
    /^Resent-From: alice@example\.org\nResent-Date: .*\nResent-Message-ID: .*\nResent-To: carol/,
  );
  assert.match(
    made([...again, 'Resent-From: bank@example.net']).text,
    /^Resent-Sender: alice@example\.org$/m,
  );
});

test('X1: a message for nobody, or for too many, is refused', () => {
  for (const lines of [complete, [...complete, 'To: undisclosed-recipients:;'], ['']])
    assert.throws(() => made(lines), /has no recipients|is no header field/);
  assert.throws(
    () => made([...complete, 'To: a, b, c', 'Cc: d, e, f']),
    /too many recipients: 6, where 5 may be/,
  );
  assert.equal(made([...complete, 'To: a, b, c', 'Cc: d, e, a, b']).envelope.to.length, 5);
});

test('a list that would take long to read is not read', () => {
  const long = 'bob,'.repeat(1100);
  assert.throws(
    () => made([...complete, `To: ${long}`]),
    /recipients take too much room: 4400 octets, where 4096 may/,
  );
  assert.throws(
    () => made([...complete, ...Array.from({ length: 10 }, () => `Cc: ${long.slice(0, 500)}`)]),
    /room/,
  );
  assert.doesNotThrow(() => made([...complete, 'To: bob', `Subject: ${long}`]));
  const lines = [`From: ${'x'.repeat(5000)} <alice@example.org>`, ...complete.slice(1), 'To: bob'];
  assert.throws(() => made(lines, { forgedFrom: 'refuse' }), /From is to be/);
});

test('what is no header field is not taken for the end of the header', () => {
  assert.throws(() => made(['hello', 'To: bob']), /line 1 of the message is no header field/);
  assert.throws(() => made(['To: bob', 'hello there']), /line 2 of the message is no header field/);
  assert.throws(() => made([' To: bob']), /line 1 of the message is no header field/);
  assert.throws(() => made(['From alice Sun Nov 29 10:00:00 2026', 'To: bob']), /line 1/);
});
