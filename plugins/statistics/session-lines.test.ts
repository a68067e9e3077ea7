import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { lineIn, type Session, type TextForm, textForms } from './session-lines.ts';

const session: Session = {
  id: '4711-12',
  peer: { address: '192.0.2.1', port: 40_000 },
  tls: undefined,
  user: 'mrose',
  ending: 'quit',
  retrieved: { messages: 3, octets: 900 },
  top: { messages: 2, octets: 150 },
  deleted: { messages: 2, octets: 320 },
  left: { messages: 5, octets: 4096 },
  received: 60,
  sent: 1000,
  durationMs: 12_600,
  loginMs: 20,
  openMs: 3,
  updateMs: 1,
};

/** The log lines that other servers write, by the documentation and the logs of each. */
const lines: Readonly<Record<TextForm, string>> = {
  classic: 'Stats: mrose 2 320 5 4096',
  qpopper4: 'Stats: mrose 2 320 5 4096 192.0.2.1 192.0.2.1',
  dovecot: 'pop3(mrose)<4711><4711-12>: Disconnected: Logged out top=2/150, retr=3/900, del=2/7, size=4416',
  courier:
    'INFO: LOGOUT, user=mrose, ip=[192.0.2.1], port=[40000], top=150, retr=900, rcvd=60, sent=1000, time=13',
  cyrus: 'counts: retr=<3> top=<2> dele=<2>',
  popa3d: '2 (320) deleted, 5 (4096) left',
};

for (const form of textForms) {
  test(`a script that reads the lines of ${form} reads these`, () => {
    assert.equal(lineIn(form, session, 4711), lines[form]);
  });
}

/** How these two tell of such an ending, a line each. */
const ends = (ending: Session['ending']): readonly string[] =>
  (['dovecot', 'courier'] as const).map((form) => lineIn(form, { ...session, ending }, 1));

test('dovecot and courier say how a session ended that did not end well', () => {
  assert.match(ends('idle').join('\n'), /: Disconnected for inactivity top=.*\nINFO: TIMEOUT, user=/);
  assert.match(
    ends('disconnected').join('\n'),
    /: Disconnected: Connection closed top=.*\nINFO: DISCONNECTED, user=/,
  );
  assert.match(ends('stopped').join('\n'), /: Server shutting down\. top=.*\nINFO: DISCONNECTED, user=/);
  assert.match(ends('failed').join('\n'), /: Disconnected: Connection closed top=/);
});

test('courier tells of TLS', () => {
  const tls = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };
  assert.match(lineIn('courier', { ...session, tls }, 1), /, time=13, stls=1$/);
});

test('a name with spaces, line ends or escapes of its own is one word, and the line has as many as ever', () => {
  const wordsIn = (form: TextForm, user: string): number =>
    lineIn(form, { ...session, user }, 1).split(' ').length;
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.constantFrom(...textForms), (user, form) => {
      assert.match(lineIn(form, { ...session, user }, 1), /^[ -~]+$/);
      assert.equal(wordsIn(form, user), wordsIn(form, 'mrose'));
    }),
  );
  assert.equal(
    lineIn('classic', { ...session, user: 'm 9 9\r\nStats: joe' }, 1),
    String.raw`Stats: m\u{20}9\u{20}9\r\nStats:\u{20}joe 2 320 5 4096`,
  );
});
