import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { canonicalOf, LargeMessage, maxHeaderOctets, sha256, twinDigest } from './canonical.ts';

const envelope = Buffer.from('From mrose Sun Mar  8 10:00:00 1992\n');
const canonical = (text: string, from = envelope): string =>
  canonicalOf(from, Buffer.from(text, 'latin1')).toString('latin1');

const digest = (text: string): string =>
  createHash('sha256').update(text, 'latin1').digest().toString('latin1');

describe('a message is known by what programs do not change in it', () => {
  const text = 'Received: from a\n\tby b\nSubject: hello\n\nbody\n';

  it('its canonical form is the documented one', () => {
    const expected = `popper1\0${envelope.toString()}Received: from a\n\tby b\nSubject: hello\n\n5${digest('body\n')}`;
    assert.equal(canonical(text), expected);
  });

  for (const field of [
    'Status: RO',
    'X-Status: A',
    'X-Keywords: a b\n c',
    'X-UID: 12',
    'X-UIDL: forged',
    'X-IMAP: 1 2',
    'X-IMAPbase: 1 2',
    'Content-Length: 5',
    'Lines: 1',
    'X-Mozilla-Status: 0001',
    'X-Mozilla-Status2: 00000000',
    'X-Evolution: 1',
    'X-Evolution-Source: x',
    'X-Popper-Bulletin: 3',
    'sTaTuS: folded\n\tover\n three lines',
  ]) {
    it(`${JSON.stringify(field)} changes nothing, wherever it stands`, () => {
      assert.equal(canonical(`${field}\n${text}`), canonical(text));
      assert.equal(canonical(text.replace('\n\n', `\n${field}\n\n`)), canonical(text));
      assert.equal(canonical(text.replace('Subject', `${field}\nSubject`)), canonical(text));
    });
  }

  it('line ends and a missing last one change nothing', () => {
    assert.equal(canonical(text.replaceAll('\n', '\r\n')), canonical(text));
    assert.equal(canonical(text.slice(0, -1)), canonical(text));
  });

  for (const [what, changed] of [
    ['a field', text.replace('hello', 'hallo')],
    ['a folded line', text.replace('\tby b', '\tby c')],
    ['the body', text.replace('body', 'Body')],
    ['a field of the body', `${text}Status: RO\n`],
    ['a field with a volatile name as its beginning', text.replace('Subject', 'Statuses: x\nSubject')],
    ['an empty line at the end', `${text}\n`],
    ['the empty line of the header', 'Received: from a\n\tby b\nSubject: hello\nbody\n'],
  ] as const) {
    it(`${what} makes it another message`, () => assert.notEqual(canonical(changed), canonical(text)));
  }

  it('the From_ line makes it another message', () => {
    const later = Buffer.from('From mrose Sun Mar  8 10:00:01 1992\n');
    assert.notEqual(canonical(text, later), canonical(text));
  });

  it('twins have names of their own, the first one that of the digest', () => {
    const octets = canonicalOf(envelope, Buffer.from(text));
    assert.deepEqual(twinDigest(octets, 1), sha256(octets));
    assert.equal(twinDigest(octets, 2).toString('latin1'), digest(`${octets.toString('latin1')}\u{0}2`));
    assert.notDeepEqual(twinDigest(octets, 2), twinDigest(octets, 3));
  });
});

describe('a large message is digested piece by piece', () => {
  const line = fc.constantFrom('a', '', 'text\r', '\r', 'Status: O', ' x');
  const body = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n')).map((parts) => parts.join('')));

  it('with the same result, however it is cut', () => {
    const filler = `X: ${'y'.repeat(60)}\n`.repeat(Math.ceil((maxHeaderOctets * 1.01) / 64));
    fc.assert(
      fc.property(body, fc.array(fc.nat(50)), fc.boolean(), fc.boolean(), (lines, cuts, hasHeader, isCut) => {
        const whole = `Subject: x\n${hasHeader ? '\n' : ''}${filler}${lines.join('')}`;
        const content = Buffer.from(isCut ? whole.slice(0, -1) : whole, 'latin1');
        let at = Math.min(content.length, filler.length + 20);
        const large = new LargeMessage(envelope, content.subarray(0, at));
        for (const cut of cuts) {
          large.add(content.subarray(at, at + cut));
          at = Math.min(at + cut, content.length);
        }
        large.add(content.subarray(at));
        assert.ok(large.end().equals(canonicalOf(envelope, content)));
      }),
      { numRuns: 60 },
    );
  });

  it('a header of less than 1 MiB is a header', () => {
    const header = `X: ${'y'.repeat(60)}\n`.repeat(16_000);
    assert.equal(canonical(`${header}Status: O\n\nbody\n`), canonical(`${header}\nbody\n`));
  });

  it('a header without an end counts as body', () => {
    const endless = Buffer.from('Status: O\n'.repeat(maxHeaderOctets / 8));
    const large = new LargeMessage(envelope, endless.subarray(0, maxHeaderOctets + 5));
    large.add(endless.subarray(maxHeaderOctets + 5));
    assert.ok(large.end().equals(canonicalOf(envelope, endless)));
  });
});
