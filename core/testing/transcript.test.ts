import assert from 'node:assert/strict';
import { test } from 'node:test';

import { err } from 'popperd';
import { testPlugin, transcript } from 'popperd/testing';

const session = (...lines: readonly string[]): string =>
  ['Message: 100 octets', 'Message: 200 octets', '', 'S: +OK popper ready', ...lines].join('\n');

const loggedIn = ['C: USER mrose', 'C: PASS secret', 'S: +OK send PASS', 'S: +OK <any>'];

const differences: readonly (readonly [what: string, written: string, shown: RegExp])[] = [
  [
    'an answer that is another',
    session('C: XYZ', 'S: +OK'),
    /^line 6 of .*\n {2}C: XYZ\n- S: \+OK\n\+ S: -ERR unknown command$/,
  ],
  [
    'an answer that is longer than the pattern',
    session('C: CAPA x', 'S: -ERR usage'),
    /\+ S: -ERR usage: CAPA$/,
  ],
  [
    'an answer that does not come',
    session('C: XYZ', 'S: -ERR <any>', 'S: +OK'),
    /^line 7 of .*\n {2}C: XYZ\n {2}S: -ERR unknown command\n- S: \+OK\n\+ nothing$/,
  ],
  [
    'an answer that was not written down',
    session('C: XYZ'),
    /^line 5 of .*\n {2}C: XYZ\n- nothing more\n\+ S: -ERR unknown command$/,
  ],
  ['another greeting', 'S: +OK hello', /^line 1 of .*\n- S: \+OK hello\n\+ S: \+OK popper ready$/],
  [
    'a line of a message that is another',
    session(...loggedIn, 'C: RETR 1', 'S: +OK 100 octets', 'S: <message 2>', 'S: .'),
    /- S: <message 2>\n\+ S: x+$/,
  ],
  [
    'a server that closes early',
    session('C: QUIT', 'S: +OK bye', 'C: NOOP', 'S: +OK'),
    /^line 7 of .*\n {2}C: NOOP\n\+ the server closed before that$/,
  ],
  [
    'a server that does not close',
    session('C: XYZ', 'S: -ERR <any>', '-- server closes'),
    /^line 7 of .* did not close/,
  ],
  [
    'a message that is gone',
    `Kept: 1 2\n${session(...loggedIn, 'C: DELE 1', 'C: QUIT', 'S: +OK <any>', 'S: +OK bye')}`,
    /messages 1 2, and there are 2$/,
  ],
  ['a message that is still there', `Kept: none\n${session()}`, /messages none, and there are 1 2$/],
  ['an expression that matches a part only', session('C: XYZ', 'S: /-ERR/'), /\+ S: -ERR unknown command/],
];

for (const [what, written, shown] of differences) {
  test(`a transcript shows ${what}`, async () => {
    await assert.rejects(
      transcript(written),
      ({ message }: Error) => shown.test(message) || assert.fail(message),
    );
  });
}

const unreadable: readonly (readonly [what: string, written: string, complaint: RegExp])[] = [
  ['a line that is neither', 'S: +OK <any>\nK: NOOP', /: line 2 .*: K: NOOP$/],
  ['a header that there is none of', 'Colour: red', /: line 1 .*: Colour: red$/],
  ['a header among the conversation', 'S: +OK <any>\nMessage: 100 octets', /: line 2/],
  ['a message line without a message', '| Subject: x', /: line 1/],
  ['a size that is none', 'Message: big', /is to be a number of octets/],
  ['a size that is too small to be made', 'Message: 20 octets', /21 or more/],
  ['an escape that there is none of', String.raw`Message (raw): a\q`, /knows no \\q/],
  ['text that is no octets', 'S: +OK <any>\nC: \u20ac', /one a character/],
];

for (const [what, written, complaint] of unreadable) {
  test(`a transcript with ${what} is not run`, async () => {
    await assert.rejects(transcript(written), complaint);
  });
}

test('a transcript that is right passes, with wildcards, expressions and messages', async () => {
  await transcript(
    session(
      ...loggedIn,
      'C: RETR 1',
      'S: +OK <any> octets',
      'S: <message 1>',
      'S: .',
      'C: STAT',
      'S: /\\+OK [0-9]+ 300/',
    ),
  );
});

test('a transcript is held against the plugins it is given', async () => {
  const closed = testPlugin('closed', ({ hooks }) =>
    hooks.command.for('STAT').tapPromise('closed', async () => err('no figures today')),
  );
  await transcript(session(...loggedIn, 'C: STAT', 'S: -ERR no figures today'), [closed]);
});
