import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ask } from '../../core/server/control/client.ts';
import { drainedSchema, protocolVersion } from '../../core/server/control/messages.ts';
import { childrenOf, titleOf, until } from '../e2e/support/fronts.ts';
import { mboxOf, plainMail } from '../e2e/support/mail.ts';
import { ServedSite } from './support/served-site.ts';
import { alice } from './support/site.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';

/** Each begins when the one before it is done; and then the old generation is told to leave. */
const steps = ['plan', 'locker', 'auth', 'worker', 'front', 'listening'];

describe("a daemon with isolation: 'user' that is to end while it reloads", { skip, concurrency: 2 }, () => {
  for (const step of steps) {
    for (const how of ['stop', 'drain'] as const) {
      const sessions =
        how === 'drain' ? 'lets the session of before come to its end' : 'ends the session of before';
      test(`${sessions}, at the step "${step}", and leaves no process`, async (t) => {
        const made = await ServedSite.make([alice], { config: { workers: { spares: 0 } } });
        t.after(() => made.end());
        await made.site.deliver(alice, mboxOf(plainMail));
        await made.start();
        const client = await made.logIn(alice);
        await client.ask('DELE 1');
        const reached = reaches(made, step);
        made.running.signal('SIGHUP');
        await reached;
        const all = await childrenOf(made.running);
        if (how === 'stop') {
          made.running.signal('SIGTERM');
          assert.match((await client.rest()).toString(), /^-ERR \[SYS\/TEMP\]/);
        } else {
          await ask(
            `${made.site.stateDir}/control.sock`,
            { version: protocolVersion, command: 'drain' },
            drainedSchema,
          );
          await client.quit();
        }
        assert.equal(await made.running.exited, 0);
        for (const pid of all) await until(async () => (await titleOf(pid).catch(() => '')) === '');
        const left = how === 'stop' ? plainMail : plainMail.slice(1);
        assert.equal(await made.site.mailOf(alice), mboxOf(left).toString('latin1'));
      });
    }
  }
});

/** Resolves when a reload has come to this step: a process that was not there loads, or the new fronts listen. */
async function reaches(made: ServedSite, step: string): Promise<void> {
  if (step === 'listening') {
    await made.running.logged(({ msg, generation }) => msg === 'listening' && generation === 2);
    return;
  }
  const loading = new RegExp(`^popper: ${step}, loading`);
  const before = await made.pidsOf(loading);
  await until(async () => (await made.pidsOf(loading)).some((pid) => !before.includes(pid)));
}
