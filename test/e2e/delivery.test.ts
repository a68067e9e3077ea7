import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { deliverAll, lockfileScript, procmail, type Recipient } from './support/deliveries.ts';
import { Ledger } from './support/ledger.ts';
import { type Ending, type Mortal, readMail } from './support/mail-reader.ts';
import { needs } from './support/program.ts';
import { makeSite, type Site } from './support/site.ts';

/** One after the other, so that each has its turn whatever the timing. */
const endings: readonly Ending[] = ['quit', 'cut', 'quit', 'quit unheard', 'killed in QUIT', 'cut in RETR'];

test(
  'U6: mail delivered beside sessions that delete, are cut and are killed is fetched once or still there',
  needs('procmail'),
  async (t) => {
    const site = await makeSite(t);
    const mortal = await mortalDaemon(site);
    const ledger = new Ledger();
    const mbox = site.mboxOf('alice');
    const agents = [await procmail(site.folder, mbox), lockfileScript(site.folder, mbox)];

    const over = new AbortController();
    const read = async (): Promise<number> => {
      let sessions = 0;
      while (!over.signal.aborted) {
        const gotIn = await readMail(mortal, ledger, endings[sessions % endings.length] ?? 'quit');
        if (gotIn) sessions += 1;
        await delay(30);
      }
      return sessions;
    };
    const recipient: Recipient = {
      offered: (delivery) => ledger.offered(delivery),
      confirmed: (id) => ledger.confirmed(id),
      // However slow the machine is, enough has to happen: a good fifteen seconds on a quick one.
      wants: (delivered) => delivered < 15 || mortal.deaths < 10 || ledger.deletedCount < 50,
    };
    const deliveries = agents.map((agent) => deliverAll(agent, recipient));
    const [delivered, sessions] = await Promise.all([
      Promise.all(deliveries).finally(() => over.abort()),
      Promise.all([read(), read()]),
    ]);

    await mortal.replace();
    assert.ok(await readMail(mortal, ledger, 'quit'));
    assert.ok(await readMail(mortal, ledger, 'quit'), 'what the last but one has left is still there');
    const { deletedCount } = ledger;
    t.diagnostic(JSON.stringify({ delivered, deletedCount, sessions, deaths: mortal.deaths }));
  },
);

async function mortalDaemon(site: Site): Promise<Mortal & { readonly deaths: number }> {
  let deaths = 0;
  let living = Promise.resolve(await site.start());
  const replaceBy = async (old: Promise<Awaited<typeof living>>) => {
    await (await old).kill();
    deaths += 1;
    return site.start();
  };
  return {
    get deaths() {
      return deaths;
    },
    daemon: () => living,
    async replace() {
      living = replaceBy(living);
      await living;
    },
  };
}
