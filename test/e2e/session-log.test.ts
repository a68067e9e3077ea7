import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { onWire, plainMail, putMail } from './support/mail.ts';
import { Pop3Client } from './support/pop3-client.ts';
import { logIn, makeSite, password } from './support/site.ts';

const octetsOf = (index: number): number => onWire(plainMail[index]?.octets ?? Buffer.alloc(0)).length;
const octetsInAll = plainMail.reduce((octets, message) => octets + onWire(message.octets).length, 0);

test('the log has one line a session: who, from where, what was read, deleted and left, and how it ended', async (t) => {
  const daemon = await started(t);
  const client = await logIn(daemon.where);
  await client.askOctets('RETR 1');
  await client.askOctets('RETR 2');
  await client.ask('DELE 1');
  await client.quit();
  const record = await daemon.logged(({ msg }) => msg === 'session');
  const { user, address, ending, retrieved, deleted, left } = record;
  assert.deepEqual(
    { user, address, ending, retrieved, deleted, left },
    {
      user: 'alice',
      address: '127.0.0.1',
      ending: 'quit',
      retrieved: { messages: 2, octets: octetsOf(0) + octetsOf(1) },
      deleted: { messages: 1, octets: octetsOf(0) },
      left: { messages: plainMail.length - 1, octets: octetsInAll - octetsOf(0) },
    },
  );
  await daemon.stop();
  assert.equal(daemon.records.filter(({ msg }) => msg === 'session').length, 1);
});

test('a session that was broken off is told from one that ended well', async (t) => {
  const daemon = await started(t);
  const client = await logIn(daemon.where);
  await client.ask('DELE 1');
  client.destroy();
  const { ending, deleted, left } = await daemon.logged(({ msg }) => msg === 'session');
  assert.deepEqual(
    { ending, deleted, left },
    {
      ending: 'disconnected',
      deleted: { messages: 0, octets: 0 },
      left: { messages: 8, octets: octetsInAll },
    },
  );
});

test('a second login of a user is in the log with its reason, and no plugin is blamed for the wait', async (t) => {
  const daemon = await started(t);
  const first = await logIn(daemon.where);
  const second = await Pop3Client.connect(daemon.where);
  await second.line();
  await second.ask('USER alice');
  assert.match(await second.say(`PASS ${password}`), /^-ERR \[IN-USE\]/);
  const { ending, failure } = await daemon.logged(({ msg }) => msg === 'session');
  assert.deepEqual(
    { ending, failure },
    {
      ending: 'failed',
      failure: { code: 'IN-USE', reason: 'the maildrop is in use by another session' },
    },
  );
  await first.quit();
  await daemon.stop();
  assert.doesNotMatch(daemon.said, /slow plugin/);
});

test('no password gets into the log, right or wrong, and every line of it is JSON', async (t) => {
  const daemon = await started(t);
  await (await logIn(daemon.where)).quit();
  const client = await Pop3Client.connect(daemon.where);
  await client.line();
  await client.ask('USER alice');
  assert.match(await client.say('PASS hunter-two-and-a-half'), /^-ERR \[AUTH\]/);
  // A password where a name belongs, as people do; and one that looks like a log line.
  await client.say('USER alice hunter-two-and-a-half');
  await client.say('USER a\x1b[2J\nNOOP');
  assert.match((await client.line()) ?? '', /^-ERR/);
  await client.quit();
  await daemon.stop();
  assert.doesNotMatch(daemon.said, new RegExp(`${password}|hunter-two|\x1b`));
  for (const line of daemon.said.split('\n')) assert.doesNotThrow(() => JSON.parse(line), line);
});

async function started(t: TestContext) {
  const site = await makeSite(t);
  await putMail(site.mboxOf('alice'), plainMail);
  return site.start();
}
