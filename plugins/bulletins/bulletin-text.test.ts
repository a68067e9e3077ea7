import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { addressedTo, fieldOf, parseBulletin } from './bulletin-text.ts';

const fromLine = 'From postmaster Mon Nov  2 10:00:00 2026\n';
const octets = (text: string): Uint8Array => Buffer.from(text, 'latin1');

function delivered(message: string, envelope = fromLine): string | undefined {
  const text = parseBulletin(octets(envelope + message));
  return text && Buffer.from(addressedTo('ann@example.org', text)).toString('latin1');
}

test('X4: each To: becomes the user’s, with all that is folded under it, and the body keeps its own', () => {
  const message =
    'To: everybody,\n\tat home,\n at work\nSubject: news\nTO : others\nto:\n\nTo: the body\n stays\n';
  const expected =
    'To: ann@example.org\nSubject: news\nTo: ann@example.org\nTo: ann@example.org\n\nTo: the body\n stays\n';
  assert.equal(delivered(message), expected);
});

test('X4: a bulletin without To: gets none', () => {
  const message = 'Subject: news\nX-To: you\nToo: much\n\nhello\n';
  assert.equal(delivered(message), message);
});

test('X4: what the maildrop it was saved from knew of it is gone: Status, X-UIDL, a Content-Length now wrong', () => {
  const message =
    'Status: RO\n folded\nSubject: news\nX-UIDL: abc\n\t1\nContent-Length: 6\nX-Popper-Key: bulletin 3\nX-Status: A\n\nhello\n';
  assert.equal(delivered(message), 'Subject: news\nX-Status: A\n\nhello\n');
});

test('X4: a file that does not begin with a From_ line is no bulletin', () => {
  for (const envelope of [
    '',
    '\n',
    'From: me\n',
    'From nobody\n',
    'From x at 10:00\n',
    '>From a b 10:00 2026\n',
  ]) {
    assert.equal(delivered('Subject: news\n\nhello\n', envelope), undefined, JSON.stringify(envelope));
  }
});

test('From_ lines of all ages are known', () => {
  for (const envelope of [
    'From mrose@dbc.mtview.ca.us Sun Mar  8 10:00:00 1992\n',
    'From mrose Sun Mar 8 10:00 1992\r\n',
    'From "a b"@c Sun Mar  8 10:00:00 1992 +0100 remote from x\n',
    'From - Sun, 8 Mar 10:00:00 PST 1992\n',
  ]) {
    assert.equal(delivered('A: b\n\nc\n', envelope), 'A: b\n\nc\n', envelope);
  }
});

test('a file of CRLF lines, one that ends in its header and one without a header are messages, too', () => {
  assert.equal(delivered('To: x\r\n y\r\nA: b\r\n\r\nc\r\n'), 'To: ann@example.org\nA: b\n\nc\n');
  assert.equal(delivered('A: b\nTo: x'), 'A: b\nTo: ann@example.org\n');
  assert.equal(delivered('\nTo: x\n'), '\nTo: x\n');
  assert.equal(delivered(''), '');
});

test('lines that the file quotes are quoted once, not twice, in the user’s mailbox', () => {
  assert.equal(
    delivered('A: b\n\n>From me\n>>From you\n> From him\n'),
    'A: b\n\nFrom me\n>From you\n> From him\n',
  );
});

test('a field is read as one line, whatever its folds', () => {
  const text = parseBulletin(
    octets(`${fromLine}Subject: news\nExpires : Thu,\n\t31 Dec 2026\n\nExpires: no\n`),
  );
  assert.ok(text);
  assert.equal(fieldOf(text, 'expires'), 'Thu,\t31 Dec 2026');
  assert.equal(fieldOf(text, 'date'), undefined);
});

test('whatever a bulletin says, its body stays, no line of another To: or Status: does, and all else does', () => {
  const line = fc.stringMatching(/^[ -~\x80-\xff]{0,20}$/);
  const value = fc.array(line, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n\tF'));
  const field = fc.tuple(
    fc.constantFrom('To', 'tO ', 'Status', 'X-UIDL', 'Subject', 'X-A', 'Received'),
    value,
  );
  const body = fc.array(line.filter((text) => !/^>*From /.test(text))).map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(fc.array(field), body, fc.constantFrom('\n', '\r\n'), (fields, text, lineEnd) => {
      const written = fields.map(([name, said]) => `${name}:${said}\n`);
      const kept = fields.flatMap(([name, said]) => {
        if (name.trim().toLowerCase() === 'to') return 'To: ann@example.org\n';
        return ['Status', 'X-UIDL'].includes(name) ? [] : `${name}:${said}\n`;
      });
      const source = `${written.join('')}\n${text}`.replaceAll('\n', lineEnd);
      assert.equal(delivered(source), `${kept.join('')}\n${text}`);
    }),
  );
});
