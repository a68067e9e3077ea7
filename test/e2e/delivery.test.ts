import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { Daemon } from './support/daemon.ts';
import { deliverAll, idOf, lockfileScript, procmail } from './support/deliveries.ts';
import { Ledger, type Seen } from './support/ledger.ts';
import { Pop3Client } from './support/pop3-client.ts';
import { needs } from './support/program.ts';
import { makeSite, password, type Site } from './support/site.ts';

/** How a session ends; one after the other, so that each has its turn whatever the timing. */
const endings = ['quit', 'cut', 'quit', 'quit unheard', 'killed in QUIT', 'cut in RETR'] as const;
type Ending = (typeof endings)[number];

const maxKills = 6;

test('mail that is delivered beside sessions that delete, are cut and are killed is fetched once or still there', needs('procmail'), async (t) => {
  const stage = await Stage.open(t);
  const { site, ledger } = stage;
  const mbox = site.mboxOf('alice');
  const agents = [await procmail(site.folder, mbox), lockfileScript(site.folder, mbox)];
  const deliveries = Promise.all(agents.map((agent) => deliverAll(agent, { count: 100, pauseMs: 60 }, ledger)));
  let delivering = true;
  const readers = Promise.all([0, 3].map((turn) => stage.readWhile(() => delivering, turn)));
  await deliveries.finally(() => {
    delivering = false;
  });
  await readers;

  await stage.restart();
  const left = await stage.session('quit');
  assert.equal(left, true, 'the last session got in');
  assert.ok(stage.kills >= 3, 'the daemon was killed');
  assert.ok(ledger.deletedCount >= 50, 'mail was deleted');
});

/** A daemon that is killed now and then, and those who read mail from it. */
class Stage {
  readonly site: Site;
  readonly ledger = new Ledger();
  kills = 0;
  #daemon: Daemon;
  #restarted: Promise<void> = Promise.resolve();

  private constructor(site: Site, daemon: Daemon) {
    this.site = site;
    this.#daemon = daemon;
  }

  static async open(t: TestContext): Promise<Stage> {
    const site = await makeSite(t);
    return new Stage(site, await site.start());
  }

  /** One session after the other. */
  async readWhile(more: () => boolean, turn: number): Promise<void> {
    for (let index = turn; more(); index += 1) {
      const ending = endings[index % endings.length] ?? 'quit';
      const gotIn = await this.session(ending);
      await delay(gotIn ? 50 : 20);
    }
  }

  /** Gives false where the session did not get in. Whatever it learns goes into the ledger. */
  async session(ending: Ending): Promise<boolean> {
    await this.#restarted;
    const daemon = this.#daemon;
    const expected = this.ledger.expected;
    const client = await Pop3Client.connect(daemon.where);
    try {
      if (!(await logIn(client))) return false;
      const found = await fetchAll(client);
      this.ledger.look(found, expected);
      const marked = found.filter((_, index) => index % 3 !== 1).map(({ id }) => id);
      for (const { id } of found) if (marked.includes(id)) await client.ask(`DELE ${numberOf(id, found)}`);
      await this.#end(client, ending, marked);
      return true;
    } catch (error) {
      // Another reader has killed the daemon in the meantime.
      if (daemon !== this.#daemon || this.#killed === daemon) return false;
      throw error;
    } finally {
      client.destroy();
    }
  }

  async #end(client: Pop3Client, ending: Ending, marked: readonly string[]): Promise<void> {
    if (ending === 'cut') return client.socket.resetAndDestroy() && undefined;
  }
}
