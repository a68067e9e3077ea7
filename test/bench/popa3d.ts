import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Contender, Site } from './servers.ts';

/**
 * popa3d under a small inetd (socat) with TCP_NODELAY, its better case. Where it looks for users and mail is compiled
 * in, so it lives in a mount namespace of its own, in which these places are the bench's. PAM is what Debian sets up for it.
 */
export const popa3d = (program: string): Contender => ({
  key: 'popa3d',
  name: 'popa3d',
  isPeer: true,
  // It refuses mailboxes of 200 MB and more; after a change it waits until the clock's next second.
  skips: ['huge'],
  // It looks through the system's accounts, so it is not to find those of other rounds there.
  expect: (site, users) => {
    const those = new Set(users);
    writeAccounts(site, ({ user }) => those.has(user));
  },
  prepare: (site, port) => {
    const { folder } = site;
    const system = join(folder, 'system');
    for (const name of ['', 'pam.d', 'lib', 'lib/popa3d']) mkdirSync(join(system, name));
    writeAccounts(site, () => true);
    writeFileSync(join(system, 'pam.d/popa3d'), pamRules);
    const script = join(system, 'serve.sh');
    writeFileSync(script, serve);
    return [
      'unshare',
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-e',
      script,
      folder,
      program,
      String(port),
    ];
  },
});

const serve = `
mount --bind "$1/system/passwd" /etc/passwd
mount --bind "$1/system/shadow" /etc/shadow
mount --bind "$1/system/pam.d" /etc/pam.d
mount --bind "$1/system/lib" /var/lib
mount --bind "$1/spool" /var/mail
exec socat "TCP4-LISTEN:$3,bind=127.0.0.1,reuseaddr,nodelay,backlog=1024,fork" "EXEC:$2,nofork"
`;

/** What the package's own rules come to on a Debian to which no module was added. */
const pamRules = `
auth [success=1 default=ignore] pam_unix.so nullok
auth requisite pam_deny.so
auth required pam_permit.so
account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so
account requisite pam_deny.so
account required pam_permit.so
`;

interface Account {
  readonly user: string;
  readonly password: string;
  readonly uid: string;
  readonly gid: string;
}

/** In place: where it lives these files are mounted. */
function writeAccounts({ folder, passwdFile }: Site, isAccount: (account: Account) => boolean): void {
  const accounts = accountsIn(readFileSync(passwdFile, 'utf8')).filter(isAccount);
  writeFileSync(join(folder, 'system/passwd'), passwdOf(accounts));
  writeFileSync(join(folder, 'system/shadow'), shadowOf(accounts), { mode: 0o600 });
}

function accountsIn(passwdFile: string): Account[] {
  return passwdFile
    .trim()
    .split('\n')
    .map((line) => {
      const [user = '', password = '', uid = '', gid = ''] = line.split(':');
      return { user, password: password.replace('{PLAIN}', ''), uid, gid };
    });
}

/** Lines of passwd(5), with the account that popa3d gives up root for. */
function passwdOf(accounts: readonly Account[]): string {
  const lines = accounts.map(({ user, uid, gid }) => `${user}:x:${uid}:${gid}::/:/bin/sh`);
  return `${['root:x:0:0::/:/bin/sh', 'popa3d:x:65533:65534::/:/bin/false', ...lines].join('\n')}\n`;
}

/** Lines of shadow(5). PAM takes no password in the clear; the classic crypt costs 10 us, the least of all. */
function shadowOf(accounts: readonly Account[]): string {
  const hashes = execFileSync('perl', ['-ne', 'chomp; print crypt($_, "po"), "\\n"'], {
    input: accounts.map(({ password }) => password).join('\n'),
    encoding: 'utf8',
  }).split('\n');
  return accounts.map(({ user }, index) => `${user}:${hashes[index]}:20000:0:99999:7:::\n`).join('');
}

/**
 * The program, installed or out of Debian's archive: its package cannot be installed beside another POP3 server.
 * Undefined where it is not to be had.
 */
export function findPopa3d(): string | undefined {
  const installed = '/usr/sbin/popa3d';
  if (existsSync(installed)) return installed;
  const folder = mkdtempSync(join(tmpdir(), 'popper-bench-popa3d-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  runIn(folder, ['apt-get', 'download', '-qq', 'popa3d']);
  const packed = readdirSync(folder).find((name) => name.endsWith('.deb'));
  if (packed === undefined) return undefined;
  return runIn(folder, ['dpkg-deb', '-x', packed, folder]) ? join(folder, 'usr/sbin/popa3d') : undefined;
}

/** Whether it went well. */
function runIn(folder: string, [program = '', ...args]: readonly string[]): boolean {
  return spawnSync(program, args, { cwd: folder }).status === 0;
}
