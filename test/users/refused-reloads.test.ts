import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';

import { saboteur, until } from '../e2e/support/fronts.ts';
import { mboxOf, plainMail } from '../e2e/support/mail.ts';
import { SteadyClient } from '../e2e/support/steady-client.ts';
import { ServedSite } from './support/served-site.ts';
import { alice, bob } from './support/site.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';

// What hangs is waited for a minute.
describe(
  "a plugin that keeps processes from starting, with isolation: 'user'",
  { skip, concurrency: 4 },
  () => {
    for (const { what, options, reason } of [
      {
        what: 'throws in the process of a user',
        options: { broken: 'no database', role: 'worker' },
        reason: /no process of a user could begin: .*saboteur.*no database/,
      },
      {
        what: 'ends the process of a user',
        options: { atStart: 'X-EXIT', role: 'worker' },
        reason: /no process of a user could begin: worker \d+ has ended/,
      },
      ...(['front', 'auth', 'worker', 'locker'] as const).map((role) => ({
        what: `hangs in the ${role}`,
        options: { atStart: 'X-HANG', role },
        reason: /took more than 60000 ms to start, and was ended at: popper: .*\[saboteur: hook start\]/,
      })),
    ]) {
      test(`which ${what} has its reload refused with the reason, and costs nobody anything`, async (t) => {
        const made = await served(t);
        const client = await made.logIn(alice);
        // Nobody is let in to what is refused.
        const steady = new SteadyClient(made.running.where, bob.name, 100);
        steady.start();
        const before = await made.pidsOf(pillars);
        assert.match(await refusedBy(made, options), reason);
        await client.ask('NOOP');
        await client.quit();
        await steady.stop();
        assert.ok(steady.sessionCount > 0);
        await isUnharmed(made, before);
      });
    }

    test('which throws in the process of a user keeps popper from starting, with the reason', async (t) => {
      const made = await ServedSite.make([alice]);
      t.after(() => made.end());
      await made.configure({ plugins: [logins, [saboteur, { broken: 'no database', role: 'worker' }]] });
      await assert.rejects(made.start(), /cannot start: no process of a user could begin: .*no database/);
    });
  },
);

const logins = ['auth-passwd', { file: 'passwd' }];

async function served(t: TestContext): Promise<ServedSite> {
  const made = await ServedSite.make([alice, bob], { config: { workers: { spares: 0 } } });
  t.after(() => made.end());
  for (const user of [alice, bob]) await made.site.deliver(user, mboxOf(plainMail));
  await made.start();
  return made;
}

/** Reloads with such a plugin, and gives the reason that is logged. */
async function refusedBy(made: ServedSite, options: Readonly<Record<string, unknown>>): Promise<string> {
  await made.configure({ plugins: [logins, [saboteur, options]] });
  made.running.signal('SIGHUP');
  const record = await made.running.logged(({ msg }) => msg.startsWith('the reload failed'), 100_000);
  return JSON.stringify(record['error']);
}

/** Whoever was there and whoever comes is served by the processes of before, and nothing else is left. */
async function isUnharmed(made: ServedSite, before: readonly number[]): Promise<void> {
  await (await made.logIn(bob)).quit();
  // Their own processes wait for them to come again.
  const others = new RegExp(`^popper: (?!uid (${alice.uid}|${bob.uid})$)`);
  await until(async () => (await made.pidsOf(others)).length === before.length);
  assert.deepEqual(await made.pidsOf(others), before);
}

const pillars = /^popper: (front|auth|locker)/;
