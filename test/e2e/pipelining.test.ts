import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { mboxOf, onWire, plainMail, putMail } from './support/mail.ts';
import { Pop3Client } from './support/pop3-client.ts';
import { logIn, makeSite, password, readMbox } from './support/site.ts';

const login = `USER alice\r\nPASS ${password}\r\n`;

const commands = [
  'NOOP',
  'STAT',
  'LIST',
  'LIST 2',
  'UIDL',
  'RETR 2',
  'TOP 3 1',
  'DELE 1',
  'RETR 1',
  'RSET',
  'XYZZY',
  'RETR 99',
  'CAPA',
];
const thousandCommands = Array.from(
  { length: 1000 },
  (_, index) => `${commands[index % commands.length]}\r\n`,
);
const longSession = `${login}${thousandCommands.join('')}RSET\r\nQUIT\r\n`;

test('L18: a thousand commands are answered alike, sent in one segment or octet by octet', async (t) => {
  const { where } = await withMail(t);
  const atOnce = await Pop3Client.connect(where);
  atOnce.send(longSession);
  const answers = await atOnce.rest();

  const trickling = await Pop3Client.connect(where);
  const trickled = trickling.rest();
  for (const octet of longSession) {
    trickling.send(octet);
    await nextTurn();
  }
  assert.ok((await trickled).equals(answers));

  const oneByOne = await Pop3Client.connect(where);
  assert.match((await oneByOne.line()) ?? '', /^\+OK/);
  for (const line of login.trimEnd().split('\r\n')) await oneByOne.ask(line);
  assert.ok((await oneByOne.askOctets('RETR 2')).equals(onWire(mailOf(2))));
  const statusLines = answers.toString('latin1').match(/^(\+OK|-ERR).*$/gm) ?? [];
  assert.equal(statusLines.length, 1 + 2 + 1000 + 2, 'a status line for the greeting and for every command');
});

test('U7: a DELE and a QUIT in one segment delete', async (t) => {
  const { site, where } = await withMail(t);
  const client = await logIn(where);
  client.send('DELE 1\r\nQUIT\r\n');
  assert.match((await client.rest()).toString(), /^\+OK[^\r]*\r\n\+OK[^\r]*\r\n$/);
  assert.ok((await readMbox(site)).equals(mboxOf(plainMail.slice(1))));
});

test('L19: a client that closes its half after QUIT reads every answer, and its mail is deleted', async (t) => {
  const { site, where } = await withMail(t);
  const client = await Pop3Client.connect(where);
  client.send(`${login}RETR 1\r\nDELE 1\r\nDELE 2\r\nQUIT\r\n`);
  client.halfClose();
  const answers = await client.rest();
  assert.ok(answers.includes(onWire(mailOf(1))) && answers.toString('latin1').endsWith('\r\n+OK bye\r\n'));
  assert.equal(answers.toString('latin1').match(/^\+OK/gm)?.length, 7);
  assert.ok((await readMbox(site)).equals(mboxOf(plainMail.slice(2))));
});

test('U3: a client that closes its half without QUIT deletes nothing', async (t) => {
  const { site, where } = await withMail(t);
  const client = await logIn(where);
  client.send('DELE 1\r\nDELE 2\r\n');
  client.halfClose();
  await client.rest();
  assert.equal(await (await logIn(where)).ask('STAT'), `+OK ${plainMail.length} ${octetsInAll}`);
  assert.ok((await readMbox(site)).equals(mboxOf(plainMail)));
});

test('U3: a client that breaks the connection after DELE deletes nothing, and can come again at once', async (t) => {
  const { site, where } = await withMail(t);
  const client = await logIn(where);
  await client.ask('DELE 1');
  client.socket.resetAndDestroy();
  assert.equal(await (await logIn(where)).ask('STAT'), `+OK ${plainMail.length} ${octetsInAll}`);
  assert.ok((await readMbox(site)).equals(mboxOf(plainMail)));
});

for (const command of ['RETR 2', 'LIST', 'UIDL', 'CAPA']) {
  test(`L21: the end of the answer to ${command} comes together with the rest of it`, async (t) => {
    const { where } = await withMail(t);
    const client = await logIn(where);
    // Two segments may arrive as one by chance, but not every time.
    for (let round = 0; round < 200; round += 1) {
      client.send(`${command}\r\n`);
      assert.match((await client.piece()).toString('latin1'), /^\+OK[^]*\r\n\.\r\n$/);
    }
    client.destroy();
  });
}

const mailOf = (number: number): Buffer => plainMail[number - 1]?.octets ?? Buffer.alloc(0);

const octetsInAll = plainMail.reduce((octets, message) => octets + onWire(message.octets).length, 0);

async function withMail(t: TestContext) {
  const site = await makeSite(t);
  await putMail(site.mboxOf('alice'), plainMail);
  return { site, where: (await site.start()).where };
}
