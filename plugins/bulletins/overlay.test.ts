import assert from 'node:assert/strict';
import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { canAppend, Failure, type Maildrop, PartlyRemoved } from 'popperd';
import { memoryMaildrop, MemoryMaildrop } from 'popperd/testing';

import { OverlayBox } from './overlay-box.ts';
import { OverlayMaildrop } from './overlay-maildrop.ts';
import { BulletinSite } from './testing/bulletin-site.ts';
import { MemorySpool } from './testing/memory-spool.ts';

const news = (key: string) => ({ key, octets: Buffer.from(`Subject: ${key}\n\nhello\n`) });

async function boxFor(
  t: Parameters<typeof BulletinSite.make>[0],
): Promise<{ box: OverlayBox; folder: string }> {
  const { folder } = await BulletinSite.make(t);
  return { box: new OverlayBox(folder), folder };
}

const overlay = async (inner: Maildrop, box: OverlayBox): Promise<OverlayMaildrop> =>
  new OverlayMaildrop(inner, box, await box.list());

describe('with a store that cannot append', () => {
  test('a user gets each bulletin once, behind his own mail, until he deletes it', async (t) => {
    const site = await BulletinSite.make(t, { canAppend: false });
    site.spool.deliver('ann', 'Subject: own\n\n');
    await site.session('ann');
    for (const name of ['9.x', '10.y', '11.z']) await site.put(name);
    assert.deepEqual(await site.subjects('ann'), ['own', '9.x', '10.y', '11.z']);
    assert.deepEqual(await site.subjects('ann'), ['own', '9.x', '10.y', '11.z']);
    await site.session('ann', 'DELE 1', 'DELE 3');
    assert.deepEqual(await site.subjects('ann'), ['9.x', '11.z']);
    site.restart();
    await site.put('12.more');
    assert.deepEqual(await site.subjects('ann'), ['9.x', '11.z', '12.more']);
    assert.equal(site.spool.lettersOf('ann').length, 0);
  });

  test('a bulletin stays in the maildrop when it goes from the folder', async (t) => {
    const site = await BulletinSite.make(t, { canAppend: false });
    await site.session('ann');
    await site.put('1.a');
    const uids = await site.session('ann', 'UIDL');
    await rename(site.pathOf('1.a'), site.pathOf('a'));
    assert.deepEqual(await site.session('ann', 'UIDL'), uids);
    assert.match(uids[1] ?? '', /^1 bulletin-[0-9a-f]{32}$/);
  });

  test('bulletins stay when the store has learnt to append', async (t) => {
    const site = await BulletinSite.make(t, { canAppend: false });
    await site.session('ann');
    await site.put('1.a');
    await site.session('ann');
    site.spool = new MemorySpool(true);
    await site.put('2.b');
    assert.deepEqual(await site.subjects('ann'), ['2.b', '1.a']);
    await site.session('ann', 'DELE 2');
    assert.deepEqual(await site.subjects('ann'), ['2.b']);
  });

  test('what has nothing to do with bulletins in that folder is left alone', async (t) => {
    const { box, folder } = await boxFor(t);
    await writeFile(join(folder, 'notes'), 'mine');
    await writeFile(join(folder, '0000000001-7-bulletin-short'), 'mine');
    assert.deepEqual(await box.list(), []);
    await box.add([news('a')]);
    assert.equal((await box.list()).length, 1);
    assert.ok((await readdir(folder)).includes('notes'));
  });
});

describe('an overlay', () => {
  test('has the messages of both, with the octets that are sent', async (t) => {
    const { box } = await boxFor(t);
    const empty = await overlay(memoryMaildrop(['Subject: own\n\n']), box);
    assert.ok(canAppend(empty));
    const drop = await empty.append([news('a'), news('b')]);
    assert.deepEqual([drop.count, drop.totalOctets], [3, 16 + 2 * 21]);
    assert.deepEqual([drop.octetsOf(0), drop.octetsOf(2)], [16, 21]);
    assert.equal(drop.uidOf(0), 'uid-1');
    assert.notEqual(drop.uidOf(1), drop.uidOf(2));
    assert.throws(() => drop.octetsOf(3), RangeError);
    const chunks = await Array.fromAsync(drop.read(2, AbortSignal.timeout(10_000)));
    assert.equal(Buffer.concat(chunks).toString(), 'Subject: b\n\nhello\n');
  });

  test('takes a message once, by its key', async (t) => {
    const { box } = await boxFor(t);
    const drop = await overlay(memoryMaildrop([]), box);
    assert.equal((await drop.append([news('a')])).count, 1);
    assert.equal((await drop.append([news('a'), news('b'), news('b')])).count, 2);
  });

  test('removes none of the bulletins where the store removes nothing', async (t) => {
    const { box } = await boxFor(t);
    await box.add([news('a')]);
    class Stubborn extends MemoryMaildrop {
      override async commit(): Promise<void> {
        throw new Failure('not now', { code: 'SYS/TEMP' });
      }
    }
    const drop = await overlay(new Stubborn(['Subject: own\n\n']), box);
    await assert.rejects(drop.commit(new Set([0, 1])), { message: 'not now' });
    assert.equal((await box.list()).length, 1);
    await drop.commit(new Set([1]));
    assert.equal((await box.list()).length, 0);
  });

  test('tells what is gone where a bulletin cannot be removed', async (t) => {
    const { box } = await boxFor(t);
    await box.add([news('a')]);
    class Immovable extends OverlayBox {
      override async remove(): Promise<void> {
        throw new Error('EIO');
      }
    }
    const inner = memoryMaildrop(['Subject: own\n\n']);
    const drop = new OverlayMaildrop(inner, new Immovable('/nonexistent'), await box.list());
    await assert.rejects(drop.commit(new Set([0, 1])), (error) => {
      assert.ok(error instanceof PartlyRemoved);
      assert.deepEqual(error.removed, { messages: 1, octets: 16 });
      return true;
    });
    assert.deepEqual(inner.kept(), []);
    await drop.close();
    assert.equal(inner.closings, 1);
  });
});

describe('whether anything may be deleted', () => {
  const closed = Object.assign(memoryMaildrop(['a\r\n']), {
    mayDelete: () => Promise.reject(new Failure('no', { code: 'SYS/PERM' })),
  });

  test("is the store's to say, unless there are messages in the box", async (t) => {
    const { box } = await boxFor(t);
    await assert.rejects((await overlay(closed, box)).mayDelete(), { code: 'SYS/PERM' });
    await box.add([news('1.a')]);
    await (await overlay(closed, box)).mayDelete();
  });
});
