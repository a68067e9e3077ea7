import assert from 'node:assert/strict';
import { test } from 'node:test';

import { plainMail, putMail } from './support/mail.ts';
import { Pop3Client, type TcpAddress } from './support/pop3-client.ts';
import { logIn, makeSite } from './support/site.ts';

const tooMany = /^-ERR \[SYS\/TEMP\] too many connections/;

test('an address with too many connections is told so, and others are not', async (t) => {
  const site = await makeSite(t, { config: { limits: { connectionsPerAddress: 2 } } });
  const { where } = await site.start();
  const first = await greeted(where);
  const second = await greeted(where);
  await turnedAway(where);
  await greeted({ ...where, localAddress: '127.0.0.2' });

  await first.quit();
  await untilGreeted(where);
  await turnedAway(where);
  second.destroy();
});

test('clients that are gone before they hear why they are sent away keep no place', async (t) => {
  const site = await makeSite(t, { config: { limits: { connections: 10 } } });
  const daemon = await site.start();
  for (let round = 0; round < 40; round += 1) {
    const client = await Pop3Client.connect(daemon.where);
    client.send('A'.repeat(100_000));
    if (round % 2 === 0) await client.line();
    client.socket.resetAndDestroy();
  }
  await untilGreeted(daemon.where);
  assert.equal(await daemon.stop(), 0);
});

test('there is a limit for all addresses together', async (t) => {
  const site = await makeSite(t, { config: { limits: { connections: 3 } } });
  const { where } = await site.start();
  for (const host of [1, 2, 3]) await greeted({ ...where, localAddress: `127.0.0.${host}` });
  await turnedAway({ ...where, localAddress: '127.0.0.4' });
});

test('a line without end is refused once, then the client is sent away', async (t) => {
  const site = await makeSite(t);
  const daemon = await site.start();
  const client = await greeted(daemon.where);
  client.send('A'.repeat(1024 * 1024));
  const said = (await client.rest()).toString();
  assert.match(said, /^-ERR line too long[^\r]*\r\n-ERR [^\r]*\r\n$/);
  await daemon.logged(({ msg, ending }) => msg === 'session' && ending === 'abuse');
});

test('one line that is too long costs one -ERR, and the session goes on', async (t) => {
  const site = await makeSite(t);
  await putMail(site.mboxOf('alice'), plainMail);
  const client = await logIn((await site.start()).where);
  assert.match(await client.say('A'.repeat(20_000)), /^-ERR line too long/);
  assert.match(await client.ask('STAT'), /^\+OK 8 /);
  await client.quit();
});

async function greeted(where: TcpAddress): Promise<Pop3Client> {
  const client = await Pop3Client.connect(where);
  assert.match((await client.line()) ?? 'closed', /^\+OK/);
  return client;
}

/** The place of one who left is free when the daemon has seen the connection closed. */
async function untilGreeted(where: TcpAddress): Promise<void> {
  for (;;) {
    const client = await Pop3Client.connect(where);
    if ((await client.line())?.startsWith('+OK') === true) return;
    await client.rest();
  }
}

async function turnedAway(where: TcpAddress): Promise<void> {
  const client = await Pop3Client.connect(where);
  assert.match((await client.rest()).toString(), tooMany);
  client.destroy();
}
