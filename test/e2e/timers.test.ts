import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { largeMessage, mboxOf, onWire, plainMail, putMail } from './support/mail.ts';
import { Pop3Client } from './support/pop3-client.ts';
import { logIn, makeSite, readMbox, type SiteOptions } from './support/site.ts';

test('U4: a silent client is left without a word, and nothing it marked is deleted', async (t) => {
  const { site, daemon } = await started(t, { config: { idleTimeoutMs: 1500 } });
  const client = await logIn(daemon.where);
  await client.ask('DELE 1');
  assert.equal((await client.rest()).length, 0);
  await daemon.logged(({ msg, ending }) => msg === 'session' && ending === 'idle');
  assert.ok((await readMbox(site)).equals(mboxOf(plainMail)));
});

test('U4: every command starts the idle timer anew, even one that means nothing', async (t) => {
  const idleTimeoutMs = 2500;
  const { daemon } = await started(t, { config: { idleTimeoutMs } });
  const client = await logIn(daemon.where);
  const untilMs = performance.now() + idleTimeoutMs * 1.5;
  while (performance.now() < untilMs) {
    assert.match(await client.say('XYZZY'), /^-ERR/);
    await delay(idleTimeoutMs / 10);
  }
  await client.quit();
});

test('U4: a message that takes long to send keeps the session, as long as the client reads', async (t) => {
  const idleTimeoutMs = 2500;
  const { daemon } = await started(t, { config: { idleTimeoutMs } }, [largeMessage]);
  const client = await logIn(daemon.where);
  const expected = onWire(largeMessage.octets);
  client.send('RETR 1\r\n');
  const status = `+OK ${expected.length} octets\r\n`;
  const promised = status.length + expected.length + '.\r\n'.length;
  // Read in gulps, with pauses that are longer together than a silent client is kept. The last part is read without any:
  // sockets hold some ten million octets, so the daemon has sent everything long before it is read.
  const pausesAtOctets = [4, 8, 12, 16].map((million) => million * 1_000_000);
  let octets = 0;
  while (octets < promised) {
    const piece = await client.piece();
    assert.ok(piece.length > 0, `cut off after ${octets} octets`);
    octets += piece.length;
    if (octets < (pausesAtOctets[0] ?? Infinity)) continue;
    pausesAtOctets.shift();
    await delay(idleTimeoutMs / 3);
  }
  assert.equal(octets, promised);
  await client.quit();
  const { ending } = await daemon.logged(({ msg }) => msg === 'session');
  assert.equal(ending, 'quit');
});

test('a client that does not log in is left at the deadline, however busy it is', async (t) => {
  const { daemon } = await started(t, { config: { loginTimeoutMs: 700 } });
  const client = await Pop3Client.connect(daemon.where);
  const said = client.rest();
  // As slow as can be: an octet at a time, and never a whole login.
  while (!client.socket.destroyed) {
    client.send('NOOP\r\n');
    await delay(50);
  }
  assert.match((await said).toString(), /^\+OK[^\r]*\r\n(-ERR[^\r]*\r\n)*$/);
  const { ending, user } = await daemon.logged(({ msg }) => msg === 'session');
  assert.deepEqual({ ending, user }, { ending: 'idle', user: undefined });
});

async function started(t: TestContext, options: SiteOptions, mail = plainMail) {
  const site = await makeSite(t, options);
  await putMail(site.mboxOf('alice'), mail);
  return { site, daemon: await site.start() };
}
