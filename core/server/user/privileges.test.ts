import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { complaintAboutRights, complaintAboutThread } from './rights.ts';

const status = readFileSync('/proc/self/status', 'latin1');
const ofUser = status
  .replace(/^Uid:.*$/m, 'Uid:\t1000\t1000\t1000\t1000')
  .replace(/^Gid:.*$/m, 'Gid:\t1000\t1000\t1000\t1000')
  .replace(/^Groups:.*$/m, 'Groups:\t100 1000 ')
  .replaceAll(/^(Cap(?:Inh|Prm|Eff|Amb)):.*$/gm, '$1:\t0000000000000000');
const rights = { uid: 1000, gid: 1000, groups: [1000, 100] };

test('a thread that is the user in every way has nothing against it', () => {
  assert.equal(complaintAboutThread(ofUser, rights), undefined);
});

for (const [what, line, complaint] of [
  ['can go back to root by its saved uid', 'Uid:\t1000\t1000\t0\t1000', /^uids 1000 1000 0 1000/],
  ['opens files as root', 'Uid:\t1000\t1000\t1000\t0', /^uids/],
  ['has a group of root', 'Gid:\t1000\t0\t1000\t1000', /^gids/],
  ['has kept group mail', 'Groups:\t8 100 1000 ', /^groups 8 100 1000/],
  ['has lost a group, so that it is not what it was asked to be', 'Groups:\t1000', /^groups/],
  ['may still do what root may', 'CapPrm:\t0000000000000080', /^capabilities, CapPrm 0000000000000080/],
  ['keeps a capability over an exec', 'CapAmb:\t0000000000000001', /^capabilities, CapAmb/],
] as const) {
  test(`a thread that ${what} is found`, () => {
    const field = line.slice(0, line.indexOf(':'));
    const odd = ofUser.replace(new RegExp(`^${field}:.*$`, 'm'), line);
    assert.match(complaintAboutThread(odd, rights) ?? 'nothing', complaint);
  });
}

test('a status without the fields that count is no proof', () => {
  assert.notEqual(complaintAboutThread('', rights), undefined);
});

test('this process is not the user it has not become', () => {
  assert.notEqual(complaintAboutRights({ uid: 4711, gid: 4711, groups: [4711] }), undefined);
});

const isRoot = process.getuid?.() === 0;

describe(
  'a process of root that becomes a user',
  { skip: isRoot ? false : 'only root can become somebody else' },
  () => {
    test('is that user in every thread, those that have worked for root too, and has no other groups', () => {
      const { said } = become(['2001', '2002']);
      assert.ok(said.threads > 4, `${said.threads} threads`);
      assert.deepEqual(said.ids, ['Uid: 2001 2001 2001 2001 Gid: 2002 2002 2002 2002']);
      assert.deepEqual(said.groups, [2002]);
      assert.equal(said.secretsRead, 0);
    });

    test('keeps nothing of what root left: no variable but the language, no folder, no files for others', () => {
      const { environment, umask, folder } = become(['2001', '2001']).said;
      assert.deepEqual({ environment, umask, folder }, { environment: ['LANG'], umask: 0o077, folder: '/' });
    });

    test('has the groups that the system gives to this uid, whatever the login was called, but neither root nor mail', () => {
      const accounts = {
        passwd: ['root:x:0:0::/:/bin/sh', 'mrose:x:2001:2001::/:/bin/sh', 'other:x:2002:2002::/:/bin/sh'],
        group: ['root:x:0:mrose', 'mail:x:8:mrose', 'friends:x:2999:other,mrose', 'strangers:x:3000:other'],
      };
      assert.deepEqual(become(['2001', '2001'], accounts).said.groups.toSorted(), [2001, 2999]);
      assert.deepEqual(become(['2001', '2001', 'mail'], accounts).said.groups.toSorted(), [2001, 2999, 8]);
    });

    for (const [what, ids, why] of [
      ['root', ['0', '2001'], /uid 0 is of the system/],
      ['an account of the system', ['10', '2001'], /minUid is 11/],
      ['a user in the group of root', ['2001', '0'], /gid 0/],
      ['a user in group mail', ['2001', '8'], /group mail would open every mailbox/],
    ] as const) {
      test(`does not become ${what}, and has changed nothing`, () => {
        const { said } = become(ids);
        assert.match(said.refused, why);
        assert.deepEqual({ uid: said.uid, gid: said.gid }, { uid: 0, gid: 0 });
      });
    }

    test('is in group mail only where it was told so', () => {
      assert.deepEqual(become(['2001', '8', 'mail']).said.groups, [8]);
    });

    test('is killed at once where it cannot become that user, before another line of anybody is run', () => {
      // Not root any more, so nothing can be changed, and it does not go on as what it is.
      const ran = spawnSync(process.execPath, ['-C', 'popper-source', program, '2001', '2001', '/dev/null'], {
        encoding: 'utf8',
        uid: 2002,
        gid: 2002,
      });
      assert.deepEqual({ signal: ran.signal, stdout: ran.stdout }, { signal: 'SIGKILL', stdout: '' });
      assert.match(ran.stderr, /could not give up the rights of root/);
    });
  },
);

const program = join(import.meta.dirname, 'testing/become.ts');

/** The files of /etc that a system has, as lines, to be seen by one process. */
type Accounts = Readonly<Record<'passwd' | 'group', readonly string[]>>;

/** Runs the program with uid, gid and what else it takes, as root, on a system that has these accounts. */
function become([uid = '', gid = '', ...rest]: readonly string[], accounts?: Accounts) {
  const folder = mkdtempSync(join(tmpdir(), 'popper-become-'));
  try {
    const secretFile = join(folder, 'secret');
    writeFileSync(secretFile, 'of root', { mode: 0o600 });
    const command = [process.execPath, '-C', 'popper-source', program, uid, gid, secretFile, ...rest];
    const ran = spawnSync('unshare', ['--mount', 'sh', '-ec', mountsOf(folder, accounts), 'sh', ...command], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', SECRET_TOKEN: 'of root' },
    });
    assert.equal(ran.stderr, '');
    return { said: JSON.parse(ran.stdout) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A script that puts the files in place for itself and what it executes, and nobody else. */
function mountsOf(folder: string, accounts: Partial<Accounts> = {}): string {
  const mounts = Object.entries(accounts).map(([name, lines]) => {
    writeFileSync(join(folder, name), lines.map((line) => `${line}\n`).join(''));
    return `mount --bind ${folder}/${name} /etc/${name}; `;
  });
  return `${mounts.join('')}exec "$@"`;
}
