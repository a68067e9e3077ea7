import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { canonicalOf } from './canonical.ts';
import { statusEdit } from './status-field.ts';
import { MboxUnderTest } from './testing/mbox-under-test.ts';

function edited(text: string, isRetrieved: boolean): string {
  const edit = statusEdit(Buffer.from(text, 'latin1'), isRetrieved);
  if (edit === undefined) return text;
  return `${text.slice(0, edit.start)}${edit.text.toString('latin1')}${text.slice(edit.end)}`;
}
const retrieved = (text: string): string => edited(text, true);
const envelope = Buffer.from('From x Sun Mar  8 10:00:00 1992\n');
const canonical = (text: string): Buffer => canonicalOf(envelope, Buffer.from(text, 'latin1'));
const without = (text: string): string => text.replaceAll(/^status:.*\r?\n/gim, '');
const left = (text: string): string => edited(text, false);

describe('a message that the user has retrieved', () => {
  it('says so in the last field of its header', () => {
    assert.equal(retrieved('A: 1\nB: 2\n\nStatus: x\n'), 'A: 1\nB: 2\nStatus: RO\n\nStatus: x\n');
    assert.equal(retrieved('A: 1\r\n\r\nx\r\n'), 'A: 1\r\nStatus: RO\r\n\r\nx\r\n');
    assert.equal(retrieved('\nx\n'), 'Status: RO\n\nx\n');
    assert.equal(retrieved('A: 1\n'), 'A: 1\nStatus: RO\n');
  });

  it('says so where another program had written something else, and is not shorter', () => {
    assert.equal(retrieved('A: 1\nStatus: U\nB: 2\n\nx\n'), 'A: 1\nStatus: RO\nB: 2\n\nx\n');
    assert.equal(retrieved('status: O\r\n\r\n'), 'Status: RO\r\n\r\n');
    assert.equal(retrieved('Status:    U     \nB: 2\n\n'), 'Status: RO       \nB: 2\n\n');
  });

  it('is left alone where it says so already', () => {
    for (const text of ['Status: RO\n\nx\n', 'A: 1\nstatus:ROA\n\nx\n']) assert.equal(retrieved(text), text);
  });
});

describe('a message that the user has not retrieved', () => {
  it('says so, unless it says something', () => {
    assert.equal(left('A: 1\n\nx\n'), 'A: 1\nStatus: U\n\nx\n');
    for (const text of ['A: 1\nStatus: O\n\nx\n', 'Status: RO\n\n', 'Status: U\n\n']) {
      assert.equal(left(text), text);
    }
  });
});

describe('a message without a header that ends', () => {
  it('is left as it is', () => {
    const endless = `A: ${'x'.repeat(70_000)}\n\nbody\n`;
    for (const text of ['', 'A: 1', 'torn', endless]) assert.equal(retrieved(text), text);
  });

  it('is left as it is, too, where its `Content-Length:` would be too far behind to be believed', () => {
    const text = `Content-Length: 5\nA: ${'x'.repeat(65_500)}\n\nbody\n`;
    assert.equal(retrieved(text), text);
  });
});

describe('a header like no other', () => {
  it('is left as it is where the field would make a From_ line of its last line', () => {
    const line = MboxUnderTest.envelopeOf(0);
    for (const text of [`A: 1\n${line}\nbody\n`, `${line}\nbody\n`, `A: 1\n${line}`]) {
      assert.equal(retrieved(text), text);
    }
  });

  it('has no field of this name in the middle of a line, be it behind a carriage return', () => {
    assert.equal(retrieved('A: 1\rStatus: U\n\nx\n'), 'A: 1\rStatus: U\nStatus: RO\n\nx\n');
    assert.equal(retrieved('A: 1\n Status: U\n\nx\n'), 'A: 1\n Status: U\nStatus: RO\n\nx\n');
  });
});

describe('any message', () => {
  const line = fc.constantFrom(
    'A: 1',
    ' folded',
    'Status: U',
    'status: R',
    'Status:',
    'A: 1\rStatus: U',
    'X-Status: A',
    '',
    'x',
  );
  const lines = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n')), { maxLength: 8 });

  it('keeps its unique-id and its octets but for the field, does not become shorter, and is edited once', () => {
    fc.assert(
      fc.property(lines, fc.boolean(), (drawn, isRetrieved) => {
        const text = drawn.map(([words, end]) => `${words}${end}`).join('');
        const after = edited(text, isRetrieved);
        assert.ok(canonical(after).equals(canonical(text)), JSON.stringify([text, after]));
        assert.ok(after.length >= text.length);
        assert.equal(edited(after, isRetrieved), after);
        assert.equal(without(after), without(text));
      }),
      { numRuns: 2000 },
    );
  });
});
