import assert from 'node:assert/strict';
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import type { KnownUser } from 'popperd';

import bulletins from './index.ts';
import { lookAtHomes } from './look-over.ts';
import { BulletinSite, bulletinText } from './testing/bulletin-site.ts';

const problems = (options: object): string =>
  // A configuration may hold anything.
  JSON.stringify(Reflect.apply(bulletins, undefined, [options]).problems);

test('options that make no sense are refused by name, with what was expected', () => {
  assert.equal(problems({ folder: 'b' }), '[]');
  assert.equal(problems({ folder: 'b', groups: { staff: ['ann'], wheel: 'system' } }), '[]');
  assert.match(problems({}), /expected the folder of the bulletins/);
  assert.match(problems({ folder: '' }), /folder/);
  assert.match(problems({ folder: 'b', counters: 'homes' }), /expected \\"state\\" or \\"home\\"/);
  assert.match(problems({ folder: 'b', newUserBulletins: -1 }), /newUserBulletins/);
  assert.match(problems({ folder: 'b', newUserBulletins: '1' }), /expected a number of bulletins/);
  assert.match(problems({ folder: 'b', host: 'a b' }), /expected a host name/);
  assert.match(problems({ folder: 'b', groups: { 'a.b': [] } }), /expected names of groups without/);
  assert.match(problems({ folder: 'b', groups: { staff: 'ann' } }), /expected a list of users/);
  assert.match(problems({ folder: 'b', bulletin: 1 }), /bulletin/);
});

describe('popper check', () => {
  test('says how many bulletins there are', async (t) => {
    const site = await BulletinSite.make(t);
    await chmod(join(site.folder, 'bulletins'), 0o755);
    await site.put('9.x');
    await chmod(site.pathOf('9.x'), 0o644);
    assert.deepEqual(await site.server.check(), [
      { kind: 'fine', plugin: 'bulletins', what: '1 bulletin, the highest number is 9' },
    ]);
  });

  test('names what keeps bulletins from their users', async (t) => {
    const site = await BulletinSite.make(t, { options: { groups: { staff: ['ann'] } } });
    await chmod(join(site.folder, 'bulletins'), 0o773);
    await site.put('1.closed');
    await chmod(site.pathOf('1.closed'), 0o600);
    await site.put('2.odd', bulletinText('2.odd', 'Expires: soon\n'));
    await chmod(site.pathOf('2.odd'), 0o644);
    await site.put('3.staf.lunch');
    await site.put('4.broken', 'hello');
    await site.put('9999999999.huge');
    const findings = (await site.server.check()).map(({ kind, what }) => `${kind}: ${what}`);
    const { folder } = site;
    for (const [index, start] of [
      'fine: 4 bulletins, the highest number is 4',
      `problem: ${folder}/bulletins: everybody may write`,
      `warning: ${folder}/bulletins: not everybody may read it`,
      `warning: ${folder}/bulletins/9999999999.huge: the number is too high`,
      `warning: ${folder}/bulletins/1.closed: not everybody may read it`,
      `warning: ${folder}/bulletins/2.odd: does not expire`,
      `problem: ${folder}/bulletins/3.staf.lunch: there is no group staf: nobody gets it`,
      `problem: ${folder}/bulletins/4.broken: does not begin with a From_ line`,
    ].entries()) {
      assert.ok(findings[index]?.startsWith(start), `${findings[index]} is not ${start}`);
    }
    assert.equal(findings.length, 8);
  });

  test('says that there is no folder, and how to make it', async (t) => {
    const site = await BulletinSite.make(t);
    await rm(join(site.folder, 'bulletins'), { recursive: true });
    const [finding] = await site.server.check();
    assert.equal(finding?.kind, 'problem');
    assert.match(finding.what, /ENOENT/);
    assert.match(finding.fix ?? '', /^mkdir -m 755 /);
  });

  test('says which group the system does not have, before and after there is a bulletin for it', async (t) => {
    const site = await BulletinSite.make(t, {
      options: { groups: { wheelx: 'system', staff: ['ann'] }, groupFile: '/dev/null' },
    });
    const said = async () =>
      (await site.server.check()).filter(({ kind }) => kind === 'problem').map(({ what }) => what);
    assert.deepEqual(await said(), [
      "groups.wheelx: /dev/null has no group wheelx: groups says that it is the system's",
    ]);
    await site.put('1.wheelx.lunch');
    assert.match((await said())[1] ?? '', /1\.wheelx\.lunch: .*no group wheelx.*: nobody gets it, nor those/);
  });

  test('says who shares a home, where counters lie in homes: only one of them would get each bulletin', () => {
    const told: string[] = [];
    const users = [user('ann', '/home/ann'), user('bob', '/nonexistent'), user('eve', '/nonexistent')];
    lookAtHomes(users, { problem: (what) => void told.push(what) });
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /2 users \(bob, eve\) have one home, \/nonexistent/);
  });
});

const user = (name: string, home: string): KnownUser => ({
  identity: { user: name, uid: 1, gid: 1, home },
  source: 'passwd',
  fixOfOwner: () => '',
});
