import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { z } from 'zod';

import { largeMessage, mboxOf, onWire, plainMail, putMail, type StoredMessage } from './support/mail.ts';
import { Pop3Client, type TcpAddress } from './support/pop3-client.ts';
import { logIn, makeSite, readMbox } from './support/site.ts';

test('U8: a stop tells a waiting client so and deletes nothing that it marked', async (t) => {
  const { site, daemon } = await started(t, plainMail);
  const client = await logIn(daemon.where);
  const stranger = await Pop3Client.connect(daemon.where);
  await stranger.line();
  await client.ask('DELE 1');
  const stopped = daemon.stop();
  assert.match((await client.rest()).toString(), /^-ERR \[SYS\/TEMP\][^\r]*\r\n$/);
  assert.match((await stranger.rest()).toString(), /^-ERR \[SYS\/TEMP\][^\r]*\r\n$/);
  assert.equal(await stopped, 0);
  assert.ok((await readMbox(site)).equals(mboxOf(plainMail)));
});

test('U8: a stop lets a message on its way arrive whole, and takes no command after it', async (t) => {
  const { site, daemon } = await started(t, [largeMessage, ...plainMail]);
  const client = await logIn(daemon.where);
  await client.ask('DELE 2');
  client.send('RETR 1\r\nQUIT\r\n');
  await client.line();
  const stopped = daemon.stop();
  await untilRefused(daemon.where);
  assert.ok((await client.body()).equals(onWire(largeMessage.octets)));
  assert.match((await client.rest()).toString(), /^-ERR \[SYS\/TEMP\][^\r]*\r\n$/);
  assert.equal(await stopped, 0);
  assert.ok((await readMbox(site)).equals(mboxOf([largeMessage, ...plainMail])));
});

test('U8: a QUIT that meets a stop is answered with the truth', async (t) => {
  const mail = [...plainMail, largeMessage];
  const { site, daemon } = await started(t, mail);
  const client = await logIn(daemon.where);
  await client.ask('DELE 1');
  client.send('QUIT\r\n');
  const stopped = daemon.stop();
  const said = (await client.rest()).toString();
  assert.equal(await stopped, 0);
  const left = said.startsWith('+OK') ? mail.slice(1) : mail;
  assert.ok((await readMbox(site)).equals(mboxOf(left)), `after ${JSON.stringify(said)}`);
});

test('U8: a second signal does not wait for a client that reads nothing', async (t) => {
  const { daemon } = await started(t, [largeMessage]);
  const client = await logIn(daemon.where);
  client.send('RETR 1\r\n');
  await client.line();
  const stopped = daemon.stop();
  await untilRefused(daemon.where);
  await daemon.stop();
  await stopped;
  await daemon.logged(({ msg }) => msg === 'session');
});

/** Resolves when no new client can come in. One who comes just before that may find the connection broken. */
async function untilRefused(where: TcpAddress): Promise<void> {
  for (;;) {
    const outcome = await Pop3Client.connect(where).catch((error: unknown) => refused.safeParse(error));
    if (outcome instanceof Pop3Client) outcome.destroy();
    else if (outcome.success) return;
  }
}

const refused = z.object({ cause: z.object({ code: z.literal('ECONNREFUSED') }) });

async function started(t: TestContext, mail: readonly StoredMessage[]) {
  const site = await makeSite(t);
  await putMail(site.mboxOf('alice'), mail);
  return { site, daemon: await site.start() };
}
