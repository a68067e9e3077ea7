import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';
import { Secret } from 'popperd';

import type { Entry, Sender } from './entry.ts';
import { flatFields } from './flat-fields.ts';
import { facilities, priorityOf } from './priority.ts';
import { asRfc3164 } from './rfc3164.ts';
import { asRfc5424 } from './rfc5424.ts';

const sender: Sender = { facility: 'local0', tag: 'popper', pid: 4711, host: 'mail.example.org' };
const time = new Date(2026, 10, 9, 7, 5, 3);
const entry = (message: string, fields: object = {}): Entry => ({
  level: 'info',
  message,
  fields: flatFields({ ...fields }),
  time,
});

test('a client cannot begin a line of his own, nor make one longer than lines may be, in either form', () => {
  const text = fc.string({ unit: 'binary', maxLength: 600 });
  const fields = fc.dictionary(text, fc.oneof(text, fc.integer(), fc.array(text), fc.dictionary(text, text)));
  fc.assert(
    fc.property(text, fields, fc.integer({ min: 480, max: 3000 }), (message, some, maxOctets) => {
      const told = entry(message, some);
      const [local, remote] = [asRfc3164(told, sender, maxOctets), asRfc5424(told, sender, maxOctets)];
      assert.match(local, /^<133>Nov {2}9 07:05:03 popper\[4711\]: [ -~]*$/);
      const element = String.raw`\[popper@32473(?: [!#-<>-Z\\^-~]{1,32}="(?:[^"\\\]]|\\["\\\]])*")+\]`;
      const form = `^<133>1 [\\d:.TZ-]{24} mail\\.example\\.org popper 4711 - (?:-|${element}) [ -~]*$`;
      assert.match(remote, new RegExp(form));
      for (const line of [local, remote]) assert.ok(line.length <= maxOctets, `${line.length} octets`);
    }),
    { numRuns: 200 },
  );
});

test('a password is masked, and an error tells its cause', () => {
  const error = new Error('no answer', {
    cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
  });
  const line = asRfc3164(entry('failed', { password: new Secret('tr0ub4dor'), error }), sender, 1024);
  assert.doesNotMatch(line, /tr0ub4dor/);
  assert.match(line, /failed password=\[secret\] error\.name=Error error\.message="no answer" /);
  assert.match(line, / error\.cause\.message=refused error\.cause\.code=ECONNREFUSED$/);
});

test('a line for this machine has the time, the program and its process, and fields behind the message', () => {
  const fields = {
    user: 'mrose',
    tls: undefined,
    deleted: { messages: 2, octets: 320 },
    said: 'a "b" c',
    none: '',
  };
  assert.equal(
    asRfc3164(entry('session', fields), sender, 1024),
    String.raw`<133>Nov  9 07:05:03 popper[4711]: session user=mrose deleted.messages=2 deleted.octets=320 said="a \"b\" c" none=""`,
  );
});

test('a line for a host says which host it is from, and has fields as structured data', () => {
  assert.equal(
    asRfc5424(entry('session', { user: 'mrose', said: 'a "b] c\\' }), sender, 2048),
    `<133>1 ${time.toISOString()} mail.example.org popper 4711 - [popper@32473 user="mrose" said="a \\"b\\] c\\\\\\\\"] session`,
  );
  assert.match(asRfc5424(entry('session'), sender, 2048), / popper 4711 - - session$/);
});

test('a line with more fields than it has room for keeps the first of them whole', () => {
  const many = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => [`field${index}`, 'x'.repeat(40)]),
  );
  const line = asRfc5424(entry('session', many), sender, 480);
  assert.match(line, / field0="x{40}".* field\d="x{40}"\] session$/);
});

test('each level has its severity, what goes well being a notice, and each facility its number', () => {
  const levels = ['debug', 'info', 'warn', 'error'] as const;
  assert.deepEqual(
    levels.map((level) => priorityOf('local0', level)),
    [135, 133, 132, 131],
  );
  assert.deepEqual(
    (['kern', 'mail', 'ftp', 'local7'] as const).map((facility) => priorityOf(facility, 'error') >> 3),
    [0, 2, 11, 23],
  );
  assert.equal(facilities.length, 20);
});
