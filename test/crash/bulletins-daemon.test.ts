import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { z } from 'zod';

import { Pop3Client } from '../e2e/support/pop3-client.ts';
import { makeSite, type Site } from '../e2e/support/site.ts';
import { planPathOf } from './support/fault-gate.ts';
import { type FileCall, fileCall, type Plan } from './support/plan.ts';

const ownMail = 'From bob@example.org Mon Nov  2 10:00:00 2026\nSubject: own\n\nmine\n\n';
const bulletin = 'From postmaster Mon Nov  2 10:00:00 2026\nTo: all\nSubject: news\n\nnews\n';

/** A daemon whose mbox store dies as planned, and a bulletin that is new to everybody. */
async function makeCrashSite(t: TestContext): Promise<Site> {
  const faultyStore = join(import.meta.dirname, 'support/faulty-store.ts');
  const config = {
    plugins: [
      [faultyStore, { spool: 'spool/{user}', reservedJournals: 0 }],
      ['bulletins', { folder: 'bulletins', host: 'example.org' }],
    ],
  };
  const site = await makeSite(t, { config });
  await mkdir(join(site.folder, 'bulletins'));
  await writeFile(join(site.folder, 'bulletins/5.news'), bulletin);
  await mkdir(dirname(planPathOf(site.folder, 'any')));
  return site;
}

/** Somebody who has had the bulletins up to 4, as his file of qpopper's says. */
async function putUser(site: Site, user: string): Promise<void> {
  const folder = join(site.folder, 'state', String(process.getuid?.()), 'bulletins', user);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, '.popbull'), '4\n');
  await writeFile(site.mboxOf(user), ownMail, { mode: 0o600 });
}

const setPlan = (site: Site, user: string, plan: Plan | undefined): Promise<void> =>
  writeFile(planPathOf(site.folder, user), JSON.stringify(plan ?? { moment: 'recovery' }));

/** The subjects that a user finds; deletes them all if told so. */
async function subjects(site: Site, where: Pop3Where, { user, deletes }: Visit): Promise<readonly string[]> {
  const client = await Pop3Client.loggedIn(where, user, 'any');
  const count = (await client.askLines('LIST')).length;
  const found: string[] = [];
  for (let number = 1; number <= count; number += 1) {
    const text = (await client.askOctets(`RETR ${number}`)).toString('latin1');
    found.push(/^Subject: (.*)\r$/m.exec(text)?.[1] ?? '');
    if (deletes) await client.ask(`DELE ${number}`);
  }
  await client.quit();
  return found;
}

type Pop3Where = Parameters<typeof Pop3Client.connect>[0];

interface Visit {
  readonly user: string;
  readonly deletes: boolean;
}

async function callsOfLogin(site: Site): Promise<readonly FileCall[]> {
  const daemon = await site.start();
  // What a state folder gets once is there then.
  await putUser(site, 'first');
  await subjects(site, daemon.where, { user: 'first', deletes: true });
  await putUser(site, 'counted');
  await setPlan(site, 'counted', { moment: 'login' });
  await subjects(site, daemon.where, { user: 'counted', deletes: false });
  const record = await daemon.logged(({ msg }) => msg === 'file calls');
  await daemon.kill();
  return z.array(fileCall).parse(record['calls']);
}

test('X4: a daemon that is killed while it adds a bulletin adds it once, and loses nothing', async (t) => {
  const site = await makeCrashSite(t);
  const calls = await callsOfLogin(site);
  assert.ok(calls.length > 8, `a login that brings a bulletin makes ${calls.length} calls`);
  let daemon = await site.start();
  for (const index of calls.keys()) {
    const user = `user-${index}`;
    await putUser(site, user);
    const place = index % 2 === 0 ? 'before' : 'after';
    await setPlan(site, user, { moment: 'login', fault: { kind: 'die', index, place } });
    // The last calls are made when the client has its answers.
    await subjects(site, daemon.where, { user, deletes: false }).catch(() => {});
    const end = await Promise.race([daemon.exited, delay(30_000, 'alive', { ref: false })]);
    assert.equal(end, 'SIGKILL', `died at ${index}, ${calls[index]?.call}`);
    await setPlan(site, user, undefined);
    daemon = await site.start();
    const visits = [false, true, false].map((deletes) => ({ user, deletes }));
    const found: (readonly string[])[] = [];
    for (const visit of visits) found.push(await subjects(site, daemon.where, visit));
    assert.deepEqual(found, [['own', 'news'], ['own', 'news'], []], `${place} ${calls[index]?.call}`);
  }
});
