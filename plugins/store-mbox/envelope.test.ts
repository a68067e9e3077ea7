import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { isEnvelope } from './envelope.ts';

const wellFormed = [
  'From mrose@dbc.mtview.ca.us Sun Mar  8 10:00:00 1992',
  'From mrose Sun Mar 8 10:00 1992',
  'From mrose Sun Mar  8 10:00 PST 1992',
  'From mrose Sun Mar  8 10:00:00 PST 1992',
  'From mrose Sun Mar  8 10:00:00 -0800 1992',
  'From mrose Sun Mar  8 10:00:00 1992 -0800',
  'From mrose Sun Mar  8 10:00:00 1992 PST',
  'From mrose Sun Mar  8 10:00:00 1992 remote from dbc',
  'From mrose  Sun  Mar  8  10:00:00  1992  ',
  'From - Sun Mar  8 10:00:00 1992',
  'From  Sun Mar  8 10:00:00 1992',
  'From "Marshall Rose"@dbc Sun Mar  8 10:00:00 1992',
  'From mrose Sun, Mar 8 10:00:00 1992',
];

const datelike = [
  'From mrose 8 Mar 1992 10:00:00 +0000',
  'From mrose Sunday, March 8, 1992 10:00',
  'From mrose 1992-03-08T10:00:00Z',
  'From mrose 3/8/92 10:00',
  'From mrose SUN MAR 8 10:00:00 1992',
];

const text = [
  'From here on it was easy.',
  'From 10:00 to 12:00 we are closed',
  'From March to May',
  'From ',
  'From Sun Mar',
];

describe('From_ lines start a message', () => {
  for (const line of wellFormed) {
    it(`after an empty line, whatever follows: ${line}`, () => {
      assert.ok(isEnvelope(line, 'blank line', 'no header'));
    });

    it(`even without an empty line if a header follows, so that two messages are not one: ${line}`, () => {
      assert.ok(isEnvelope(line, 'text', 'Received: from relay'));
      assert.ok(!isEnvelope(line, 'text', 'and so he wrote to me'));
    });
  }

  for (const line of datelike) {
    it(`with an odd date after an empty line if a header follows: ${line}`, () => {
      assert.ok(isEnvelope(line, 'blank line', 'Return-Path: <mrose>'));
      assert.ok(!isEnvelope(line, 'blank line', 'and so on'));
      assert.ok(!isEnvelope(line, 'text', 'Return-Path: <mrose>'));
    });
  }

  for (const line of text) {
    it(`at the start of a file only: ${line}`, () => {
      assert.ok(isEnvelope(line, 'start of file', ''));
      assert.ok(!isEnvelope(line, 'blank line', 'Subject: a header'));
      assert.ok(!isEnvelope(line, 'text', 'Subject: a header'));
    });
  }

  it('a line made to keep the parser busy is judged at once', () => {
    const line = `From ${' Sun Mar 8 10:00'.repeat(60)}`.slice(0, 1000);
    const start = performance.now();
    for (let round = 0; round < 1000; round += 1) isEnvelope(line, 'blank line', 'X: y');
    assert.ok(performance.now() - start < 2000);
  });
});
