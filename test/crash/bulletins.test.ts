import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import type { Logger, Maildrop } from 'popperd';

import { BulletinFolder } from '../../plugins/bulletins/bulletin-folder.ts';
import { Complaints } from '../../plugins/bulletins/complaints.ts';
import { type CounterFiles, realCounterFiles } from '../../plugins/bulletins/counter-files.ts';
import { Delivery } from '../../plugins/bulletins/delivery.ts';
import { Groups } from '../../plugins/bulletins/groups.ts';
import { Places } from '../../plugins/bulletins/places.ts';
import { Selector } from '../../plugins/bulletins/selection.ts';
import { realFiles } from '../../plugins/store-mbox/commit/index.ts';
import { withFaultPoints } from '../../plugins/store-mbox/commit/testing/dying-files.ts';
import { identityOf, MboxUnderTest } from '../../plugins/store-mbox/testing/mbox-under-test.ts';

/**
 * A login that brings two bulletins, and goes wrong at each of its steps in turn: the calls of the store that change files, those of
 * the counter, and half of each write.
 */
interface Fault {
  /** A death: no call after it happens either, until the next process. An error: this call fails, or this and all after it. */
  readonly kind: 'death' | 'error' | 'lasting error';
  readonly step: number;
}

class Trouble {
  steps = 0;
  fault: Fault | undefined;

  /** Comes before each call that changes a file. */
  readonly before = async (call: string, path: string): Promise<void> => {
    const step = this.steps++;
    if (this.fault === undefined || step < this.fault.step) return;
    if (step > this.fault.step && this.fault.kind === 'error') return;
    const error = new Error(`${this.fault.kind} at ${call} ${path}`);
    throw Object.assign(error, { code: 'ENOSPC', errno: -28 });
  };
}

function troubled(files: CounterFiles, { before }: Trouble): CounterFiles {
  return {
    ...files,
    async openNext(path) {
      await before('create', path);
      const next = await files.openNext(path);
      if (next === 'busy') return next;
      return {
        ...next,
        async write(text) {
          await before('write', path);
          await next.write(text.slice(0, 1));
          await before('half a write', path);
          await next.write(text);
        },
        async sync() {
          await before('sync', path);
          await next.sync();
        },
      };
    },
    async rename(from, to) {
      await before('rename', from);
      await files.rename(from, to);
    },
    async unlink(path) {
      await before('unlink', path);
      await files.unlink(path);
    },
    async syncFolder(path) {
      await before('syncFolder', path);
      await files.syncFolder(path);
    },
  };
}

/** A user with mail of his own, and processes that bring him bulletins until they die. */
class World {
  readonly trouble: Trouble;
  readonly #folder: string;
  readonly #store: MboxUnderTest;
  #delivery: Delivery;

  private constructor(folder: string, store: MboxUnderTest, trouble: Trouble) {
    this.trouble = trouble;
    this.#folder = folder;
    this.#store = store;
    this.#delivery = this.#newDelivery();
  }

  static async make(t: TestContext): Promise<World> {
    const trouble = new Trouble();
    const store = await MboxUnderTest.make({}, withFaultPoints(realFiles, trouble.before));
    const folder = await mkdtemp(join(tmpdir(), 'popper-bulletins-'));
    t.after(async () => {
      await store.dispose();
      await rm(folder, { recursive: true });
    });
    const world = new World(folder, store, trouble);
    await store.deliver('mrose', [Buffer.from('Subject: own\n\nmine\n')]);
    await world.session(async () => {});
    return world;
  }

  async put(name: string): Promise<void> {
    const text = `From x Mon Nov  2 10:00:00 2026\nTo: all\nSubject: ${name}\n\nnews\n`;
    await writeFile(join(this.#folder, name), text);
  }

  /** What a user sees, and does. */
  async session(work: (maildrop: Maildrop, subjects: readonly string[]) => Promise<void>): Promise<void> {
    const opened = await this.#store.open();
    const maildrop = await this.#delivery.into(opened, identityOf('mrose'));
    try {
      await work(maildrop, await subjectsOf(maildrop));
    } finally {
      await maildrop.close();
    }
  }

  async die(): Promise<void> {
    this.trouble.fault = undefined;
    await this.#store.die();
    this.#delivery = this.#newDelivery();
  }

  #newDelivery(): Delivery {
    const folder = new BulletinFolder(this.#folder);
    const complaints = new Complaints(silent);
    const groups = new Groups(undefined, '/nonexistent');
    return new Delivery({
      folder,
      selector: new Selector({ folder, groups, host: 'example.org', complaints }),
      places: new Places({ folderOf: (identity) => this.#store.state.folderOf(identity) }, 'state'),
      files: troubled(realCounterFiles, this.trouble),
      complaints,
      newUserBulletins: 0,
    });
  }
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

async function subjectsOf(maildrop: Maildrop): Promise<readonly string[]> {
  await maildrop.load?.();
  const texts: string[] = [];
  for (let index = 0; index < maildrop.count; index += 1) {
    const chunks = await Array.fromAsync(maildrop.read(index, AbortSignal.timeout(60_000)), (chunk) =>
      Buffer.from(chunk),
    );
    texts.push(Buffer.concat(chunks).toString('latin1'));
  }
  return texts.flatMap((text) => /^Subject: (.*)$/m.exec(text)?.[1] ?? []);
}

const all = (maildrop: Maildrop): ReadonlySet<number> =>
  new Set(Array.from({ length: maildrop.count }).keys());

/** Tries a fault; answers with the steps that a login took without one. */
async function attempt(t: TestContext, fault: Fault | undefined): Promise<number> {
  const world = await World.make(t);
  await world.put('1.first');
  await world.put('2.second');
  const gone: string[] = [];
  const { trouble } = world;
  trouble.steps = 0;
  trouble.fault = fault;
  let steps = 0;
  try {
    await world.session(async (maildrop, subjects) => {
      steps = trouble.steps;
      if (fault?.kind === 'death' && trouble.steps > fault.step) throw new Error('dead');
      // A user who fetches and deletes at once.
      await maildrop.commit(all(maildrop));
      gone.push(...subjects);
    });
  } catch (error) {
    assert.ok(fault, String(error));
  }
  await world.die();
  const expected = ['own', '1.first', '2.second'].filter((subject) => !gone.includes(subject));
  for (let session = 1; session <= 2; session += 1) {
    await world.session(async (_, subjects) =>
      assert.deepEqual(subjects, expected, JSON.stringify({ fault, gone })),
    );
  }
  await world.session((maildrop) => maildrop.commit(all(maildrop)));
  await world.die();
  await world.session(async (_, subjects) => assert.deepEqual(subjects, [], JSON.stringify({ fault })));
  return steps;
}

for (const kind of ['death', 'error', 'lasting error'] as const) {
  test(`X4: no bulletin is lost or comes twice, whatever step of a login ends in: ${kind}`, async (t) => {
    const steps = await attempt(t, undefined);
    assert.ok(steps > 15, `a login that brings bulletins takes ${steps} steps`);
    for (let step = 0; step < steps; step += 1) await attempt(t, { kind, step });
    t.diagnostic(`${steps} steps`);
  });
}
