import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { plainMail, putMail } from './support/mail.ts';
import { Pop3Client, type TcpAddress } from './support/pop3-client.ts';
import { logIn, makeSite, password } from './support/site.ts';

test('A9: of many clients that race for a maildrop one gets in, the others hear that it is in use', async (t) => {
  const { wheres } = await daemons(t, 1);
  await race(wheres, 12);
});

test('A9: the same holds for the clients of two daemons over one spool', async (t) => {
  const { wheres } = await daemons(t, 2);
  await race(wheres, 12);
});

test('a daemon that was killed leaves no maildrop locked', async (t) => {
  const { running } = await daemons(t, 2);
  const [first, second] = running;
  assert.ok(first && second);
  const client = await logIn(first.where);
  assert.match(await tryLogin(second.where), /^-ERR \[IN-USE\]/);
  await first.kill();
  client.destroy();
  await (await logIn(second.where)).quit();
});

async function race(wheres: readonly TcpAddress[], clients: number): Promise<void> {
  const connected = await Promise.all(
    Array.from({ length: clients }, (_, index) => greeted(wheres[index % wheres.length])),
  );
  const answers = await Promise.all(connected.map((client) => passwordAnswer(client)));
  const winners = connected.filter((_, index) => answers[index]?.startsWith('+OK'));
  assert.equal(winners.length, 1, answers.join('\n'));
  assert.equal(answers.filter((answer) => answer.startsWith('-ERR [IN-USE]')).length, clients - 1);

  for (const loser of connected.filter((client) => !winners.includes(client))) {
    assert.equal((await loser.rest()).length, 0, 'the connection is closed');
  }
  await winners[0]?.quit();
  for (const where of wheres) await (await logIn(where)).quit();
}

async function greeted(where: TcpAddress | undefined): Promise<Pop3Client> {
  assert.ok(where);
  const client = await Pop3Client.connect(where);
  await client.line();
  await client.ask('USER alice');
  return client;
}

const passwordAnswer = async (client: Pop3Client): Promise<string> => client.say(`PASS ${password}`);

const tryLogin = async (where: TcpAddress): Promise<string> => passwordAnswer(await greeted(where));

async function daemons(t: TestContext, count: number) {
  // Two daemons over one state cannot both have the control socket in it.
  const site = await makeSite(t, { config: { control: false } });
  await putMail(site.mboxOf('alice'), plainMail);
  const running = await Promise.all(Array.from({ length: count }, () => site.start()));
  return { running, wheres: running.map(({ where }) => where) };
}
