import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { ServedSite } from '../users/support/served-site.ts';
import { alice } from '../users/support/site.ts';
import type { Daemon } from './support/daemon.ts';
import { childrenOf, makeSiteOfFronts, until } from './support/fronts.ts';
import { mboxOf, plainMail } from './support/mail.ts';
import { Pop3Client } from './support/pop3-client.ts';
import { logIn, password } from './support/site.ts';

// Processes of two generations serve one maildrop for a while: no two sessions may have it open.

const asRoot = process.getuid?.() === 0 ? {} : { skip: 'only root can serve users as themselves' };

for (const [what, serve, options] of [
  ['two fronts', serveByFronts, {}],
  ["isolation: 'user'", serveByUsers, asRoot],
] as const) {
  test(
    `with ${what} a user who is logged in before a reload keeps his maildrop until he leaves`,
    options,
    async (t) => {
      const daemon = await serve(t);
      const old = await logIn(daemon.where);
      await old.ask('DELE 1');
      await reload(daemon, 2);
      assert.match(await answerToLogin(daemon), /^-ERR \[IN-USE\]/);
      // To refuse somebody is not to let go of what he was refused for.
      assert.match(await answerToLogin(daemon), /^-ERR \[IN-USE\]/);
      await old.quit();
      const late = await logIn(daemon.where);
      assert.match(await late.ask('STAT'), new RegExp(`^\\+OK ${plainMail.length - 1} `));
      await late.quit();
    },
  );

  test(
    `with ${what} a maildrop is free again as soon as a client of before two reloads hangs up`,
    options,
    async (t) => {
      const daemon = await serve(t);
      const old = await logIn(daemon.where);
      await old.ask('DELE 1');
      for (const generation of [2, 3]) await reload(daemon, generation);
      assert.match(await answerToLogin(daemon), /^-ERR \[IN-USE\]/);
      const before = (await childrenOf(daemon)).length;
      old.socket.resetAndDestroy();
      await until(async () => (await answerToLogin(daemon)).startsWith('+OK'));
      const late = await logIn(daemon.where);
      assert.match(await late.ask('STAT'), new RegExp(`^\\+OK ${plainMail.length} `));
      await late.quit();
      // Its front was there for it alone.
      await until(async () => (await childrenOf(daemon)).length < before);
    },
  );
}

async function serveByFronts(t: TestContext): Promise<Daemon> {
  return (await makeSiteOfFronts(t)).start();
}

async function serveByUsers(t: TestContext): Promise<Daemon> {
  const served = await ServedSite.make([alice]);
  t.after(() => served.end());
  await served.site.deliver(alice, mboxOf(plainMail));
  return served.start();
}

/** Reloads, and waits until that generation takes all new clients. */
async function reload(daemon: Daemon, generation: number): Promise<void> {
  daemon.signal('SIGHUP');
  await daemon.logged((record) => record.msg === 'listening' && record['generation'] === generation);
}

/** What a client hears who logs in, and leaves whatever it is. */
async function answerToLogin({ where }: Daemon): Promise<string> {
  const client = await Pop3Client.connect(where);
  await client.line();
  await client.ask('USER alice');
  const answer = await client.say(`PASS ${password}`);
  if (answer.startsWith('+OK')) await client.quit();
  client.destroy();
  return answer;
}
