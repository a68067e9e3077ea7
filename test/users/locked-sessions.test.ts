import assert from 'node:assert/strict';
import { readFileSync, watch } from 'node:fs';
import { chmod, chown } from 'node:fs/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { deliverAll, lockfileScript, procmail, type Recipient } from '../e2e/support/deliveries.ts';
import { Ledger } from '../e2e/support/ledger.ts';
import { type Ending, type Mortal, readMail } from '../e2e/support/mail-reader.ts';
import { ConnectionLost, Pop3Client, type TcpAddress } from '../e2e/support/pop3-client.ts';
import { needs } from '../e2e/support/program.ts';
import { coreOf } from './support/core.ts';
import { Front } from './support/front.ts';
import { LockedSpool, mailGid, until } from './support/locked-spool.ts';
import { alice } from './support/site.ts';
import { SmallMaster } from './support/small-master.ts';

const skip = process.getuid?.() === 0 ? needs('procmail').skip : 'only root can serve users as themselves';
const letter = 'From carol@example.org Mon Nov  2 10:00:00 2026\nFrom: carol@example.org\n\nHello.\n\n';

describe('a session in a spool where only group mail may write', { skip }, () => {
  let spool: LockedSpool;
  let master: SmallMaster;
  let front: Front;

  beforeEach(async () => {
    spool = await LockedSpool.make();
    const { site, keeper } = spool;
    master = await SmallMaster.start(site, { locker: keeper, spares: 2 });
    front = await Front.start(coreOf(site.stateDir, site.spool), master);
    await spool.deliver(alice, letter + letter);
  });
  afterEach(async () => {
    front.close();
    await master.stop();
    await spool.dispose();
  });

  const where = () => ({ host: '127.0.0.1', port: front.port });
  const login = (): Promise<Pop3Client> => Pop3Client.loggedIn(where(), alice.name, alice.password);

  /** What gets a name in the spool meanwhile. */
  const namesGiven = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    const names = new Set<string>();
    const watcher = watch(spool.site.spool, (_, name) => void names.add(name ?? ''));
    await work();
    await delay(50);
    watcher.close();
    return [...names];
  };

  test('that deletes has the dotlock while it does so, though its process has no right to make one', async () => {
    const client = await login();
    const { ids, pid } = JSON.parse((await client.ask('XWHO')).slice(4));
    assert.deepEqual(ids, [alice.uid, alice.gid, [alice.gid]]);
    await client.ask('DELE 1');
    assert.ok((await namesGiven(() => client.ask('QUIT'))).includes('alice.lock'));
    assert.deepEqual(await spool.locks(), []);
    assert.equal(await spool.site.mailOf(alice), letter);
    assert.equal(master.workerOf(pid).stderr, '');
  });

  test('that deletes nothing makes no lock', async () => {
    const client = await login();
    assert.deepEqual(await namesGiven(() => client.quit()), []);
  });

  test('locks by its own hand in a folder of its own, where the locker may not', async () => {
    await chmod(spool.site.spool, 0o755);
    await chown(spool.site.spool, alice.uid, mailGid);
    const client = await login();
    await client.ask('DELE 1');
    assert.ok((await namesGiven(() => client.ask('QUIT'))).includes('alice.lock'));
  });

  test('loses, doubles and tears nothing beside deliveries, whoever is killed: processes of users, or lockers', async (t) => {
    await spool.deliver(alice);
    const ledger = new Ledger();
    const mbox = spool.site.mboxOf(alice);
    const mortal = new MortalProcesses(spool, master, where);
    const agents = [await procmail(spool.site.folder, mbox), lockfileScript(spool.site.folder, mbox)];
    const over = new AbortController();
    const read = async (): Promise<number> => {
      let sessions = 0;
      while (!over.signal.aborted) {
        const gotIn = await readMail(mortal, ledger, endings[sessions % endings.length] ?? 'quit').catch(
          lost,
        );
        if (gotIn) sessions += 1;
        if (gotIn && sessions % 4 === 3 && mortal.lockerDeaths < maxLockerDeaths) await mortal.killLocker();
        await delay(30);
      }
      return sessions;
    };
    const recipient: Recipient = {
      offered: (delivery) => ledger.offered(delivery),
      confirmed: (id) => ledger.confirmed(id),
      wants: (delivered) => delivered < 15 || mortal.deaths < 8 || ledger.deletedCount < 40,
    };
    const [delivered, sessions] = await Promise.all([
      Promise.all(agents.map((agent) => deliverAll(agent, recipient))).finally(() => over.abort()),
      read(),
    ]);
    // A QUIT whose answer nobody waited for may be waiting for the next locker.
    await until(() => readMail(mortal, ledger, 'quit'), 'the last session has let go');
    assert.ok(await readMail(mortal, ledger, 'quit'), 'what the last but one has left is still there');
    await spool.hasLocks();
    const { deletedCount } = ledger;
    const { deaths, lockerDeaths } = mortal;
    t.diagnostic(JSON.stringify({ delivered, deletedCount, sessions, deaths, lockerDeaths }));
  });
});

const endings: readonly Ending[] = [
  'quit',
  'killed in QUIT',
  'quit',
  'quit unheard',
  'killed in QUIT',
  'cut',
];

/** With each death the next locker comes later, and `lockfile` waits a minute for it at most. */
const maxLockerDeaths = 6;

const lost = (error: unknown): false => {
  if (error instanceof ConnectionLost) return false;
  throw error;
};

/** What dies here is the process of the user, and the locker beside it. */
class MortalProcesses implements Mortal {
  readonly password = alice.password;
  deaths = 0;
  lockerDeaths = 0;
  readonly #spool: LockedSpool;
  readonly #master: SmallMaster;
  readonly #where: () => TcpAddress;

  constructor(spool: LockedSpool, master: SmallMaster, where: () => TcpAddress) {
    this.#spool = spool;
    this.#master = master;
    this.#where = where;
  }

  async daemon() {
    return { where: this.#where() };
  }

  /** Another process serves the next session. */
  async replace(): Promise<void> {
    for (const { process: child } of this.#master.workers) {
      if (!isOf(alice.uid, child.pid)) continue;
      child.kill('SIGKILL');
      this.deaths += 1;
    }
  }

  async killLocker(): Promise<void> {
    await this.#spool.killLocker();
    this.lockerDeaths += 1;
  }
}

function isOf(uid: number, pid: number | undefined): boolean {
  try {
    return new RegExp(`^Uid:\t${uid}\t`, 'm').test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}
