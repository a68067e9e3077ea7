import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { Groups } from './groups.ts';

const ann = { user: 'ann', gid: 1001 };
const bob = { user: 'bob', gid: 50 };

async function groupFile(t: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'popper-groups-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'group'), text);
  return join(folder, 'group');
}

test('where there are no groups, a name of three words is for everybody', async () => {
  assert.equal(await new Groups(undefined, '/nonexistent').has('staff', ann), true);
});

test('a bulletin of a group is for those who are listed, one without a group or of ALL for everybody', async () => {
  const groups = new Groups({ staff: ['ann'] }, '/nonexistent');
  assert.equal(await groups.has('staff', ann), true);
  assert.equal(await groups.has('staff', bob), false);
  assert.equal(await groups.has(undefined, bob), true);
  assert.equal(await groups.has('ALL', bob), true);
});

test('a group that is not there is an error, not a bulletin for everybody or for nobody', async () => {
  const groups = new Groups({ staff: ['ann'] }, '/nonexistent');
  for (const group of ['staf', 'Staff', '__proto__', 'toString']) {
    assert.ok(groups.isUnknown(group));
    await assert.rejects(groups.has(group, ann), /there is no group/);
  }
  assert.ok(!groups.isUnknown('staff') && !groups.isUnknown('ALL') && !groups.isUnknown(undefined));
});

test('the system’s group has those it lists and those whose own group it is', async (t) => {
  const file = await groupFile(t, 'root:x:0:\nstaff:x:50:ann,eve\nbroken\n');
  const groups = new Groups({ staff: 'system', broken: 'system', missing: 'system' }, file);
  assert.equal(await groups.has('staff', ann), true);
  assert.equal(await groups.has('staff', bob), true);
  assert.equal(await groups.has('staff', { user: 'an', gid: 51 }), false);
  await assert.rejects(groups.has('broken', ann), /has no group broken/);
  await assert.rejects(groups.has('missing', ann), /has no group missing/);
  await assert.rejects(new Groups({ staff: 'system' }, `${file}-not`).has('staff', ann), { code: 'ENOENT' });
});
