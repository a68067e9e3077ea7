import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { asRoot, mounted } from '../e2e/support/mounting.ts';
import { CrashSite, type CrashSiteOptions } from './support/crash-site.ts';
import { judge } from './support/judge.ts';
import { letters, patterns } from './support/letters.ts';
import { SmallDisk } from './support/small-disk.ts';

const diskOctets = 16 * 1024 * 1024;
const marks = Object.entries({ ...patterns, 'all but last': [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] });

test('a full disk below the state folder stops no deletion', asRoot, async (t) => {
  const folder = await SmallDisk.place();
  await onSmallDisk(t, folder, { stateDir: join(folder, 'state') }, deleteAll);
});

test('a full disk below the spool stops no deletion', asRoot, async (t) => {
  const folder = await SmallDisk.place();
  await onSmallDisk(t, folder, { spool: join(folder, 'spool') }, deleteAll);
});

test('a full disk below both stops no deletion', asRoot, async (t) => {
  const folder = await SmallDisk.place();
  const options = { stateDir: join(folder, 'state'), spool: join(folder, 'spool') };
  await onSmallDisk(t, folder, options, deleteAll);
});

test(
  'where the disk was full before there was a reserve, nothing is removed and the client is told',
  asRoot,
  async (t) => {
    const folder = await SmallDisk.place();
    await onSmallDisk(t, folder, { stateDir: join(folder, 'state') }, async (site, disk) => {
      // It is made in the background: once it is there, no other comes while this one is taken away.
      await site.reserved('first');
      await site.put('alice', letters);
      await site.visit('alice', []);
      await site.forgetReserve();
      await disk.fill();
      await site.restart();
      const marked = [0, 3];
      const told = await site.visit('alice', marked);
      assert.match(told.answer ?? 'none', /^-ERR \[SYS\/TEMP\]/);
      await assertTrue(site, 'alice', { ...told, marked });
      await disk.empty();
      await site.restart();
      const again = await site.visit('alice', marked);
      assert.equal(again.answer, '+OK bye', 'with space again it can be done');
      assert.deepEqual(again.uids, told.uids);
      await assertTrue(site, 'alice', { ...again, marked });
    });
  },
);

async function onSmallDisk(
  t: TestContext,
  folder: string,
  options: CrashSiteOptions,
  work: (site: CrashSite, disk: SmallDisk) => Promise<void>,
): Promise<void> {
  const site = await CrashSite.make(t, options);
  const disk = await mounted(t, () => SmallDisk.mount(t, folder, diskOctets));
  if (disk === undefined) return;
  await mkdir(site.spool, { recursive: true });
  await site.restart();
  await work(site, disk);
}

async function deleteAll(site: CrashSite, disk: SmallDisk): Promise<void> {
  await site.reserved('first');
  for (const [pattern] of marks) {
    await site.put(nameOf(pattern), letters);
    // Their session locks lie in the state folder from now on.
    await site.visit(nameOf(pattern), []);
  }
  const answers: Record<string, string | undefined> = {};
  for (const [pattern, marked] of marks) {
    // What the one before freed is taken again.
    await disk.fill();
    const user = nameOf(pattern);
    const told = await site.visit(user, marked);
    answers[pattern] = told.answer;
    await assertTrue(site, user, { ...told, marked });
  }
  assert.deepEqual(answers, Object.fromEntries(marks.map(([pattern]) => [pattern, '+OK bye'])));
}

const nameOf = (pattern: string): string => pattern.replaceAll(' ', '-');

type Session = Pick<Parameters<typeof judge>[0], 'uids' | 'answer' | 'marked'>;

async function assertTrue(site: CrashSite, user: string, session: Session): Promise<void> {
  const { listing } = await site.look(user);
  const sins = judge({ ...session, letters, delivered: [] }, { listing, mbox: await site.readMbox(user) });
  assert.deepEqual(sins, [], `${user} was answered ${session.answer}`);
}
