import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { mboxOf, putMail } from './support/mail.ts';
import { logIn, makeSite } from './support/site.ts';

const count = 20_000;
/** Long enough that all of them fill every buffer on the way to a client that does not read. */
const subject = (number: number): string => `Subject: ${number} ${'x'.repeat(600)}`;

const mail = Array.from({ length: count }, (_, index) => ({
  name: String(index + 1),
  octets: Buffer.from(`From: bob@example.org\n${subject(index + 1)}\n folded\n\n${'text\n'.repeat(20)}`),
}));

const plugins = [
  ['auth-passwd', { file: 'passwd' }],
  ['store-mbox', { spool: 'spool/{user}' }],
  'xtnd-xlist',
];

test('a list of 20,000 headers waits for a client that does not read, others are served meanwhile, and it is whole', async (t) => {
  const site = await makeSite(t, { users: ['alice', 'bob'], config: { plugins } });
  await putMail(site.mboxOf('alice'), mail);
  const daemon = await site.start();
  const client = await logIn(daemon.where);
  await client.ask('UIDL 1');
  client.socket.pause();
  client.send('XTND XLST Subject\r\nNOOP\r\n');
  const other = await logIn(daemon.where, 'bob');
  assert.equal(await other.ask('STAT'), '+OK 0 0');
  assert.equal(await client.line(), '+OK xlst command accepted; headers coming.');
  const lines = (await client.body()).toString('latin1').split('\r\n');
  assert.deepEqual(
    lines.slice(0, -1),
    Array.from({ length: count }, (_, index) => [`${index + 1} ${subject(index + 1)}`, ' folded']).flat(),
  );
  assert.equal(await client.line(), '+OK');
  await client.quit();
  assert.deepEqual(readFileSync(site.mboxOf('alice')), mboxOf(mail));
});
