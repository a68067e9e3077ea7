import { spawnSync } from 'node:child_process';
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

import type { Contender } from './servers.ts';

/**
 * popa3d under a small inetd (socat) with TCP_NODELAY, its better case. Where it looks for users and mail is compiled
 * in, so it lives in a mount namespace of its own, in which these places are the bench's. PAM takes any password.
 */
export const popa3d = (program: string): Contender => ({
  key: 'popa3d',
  name: 'popa3d',
  isPeer: true,
  // It refuses mailboxes of 200 MB and more; after a change it waits until the clock's next second.
  skips: ['huge'],
  prepare: ({ folder, passwdFile }, port) => {
    const system = join(folder, 'system');
    for (const name of ['', 'pam.d', 'lib', 'lib/popa3d']) mkdirSync(join(system, name));
    writeFileSync(join(system, 'passwd'), passwdOf(readFileSync(passwdFile, 'utf8')));
    writeFileSync(
      join(system, 'pam.d/popa3d'),
      'auth required pam_permit.so\naccount required pam_permit.so\n',
    );
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
mount --bind "$1/system/pam.d" /etc/pam.d
mount --bind "$1/system/lib" /var/lib
mount --bind "$1/spool" /var/mail
exec socat "TCP4-LISTEN:$3,bind=127.0.0.1,reuseaddr,nodelay,backlog=1024,fork" "EXEC:$2,nofork"
`;

/** Lines of passwd(5), with the account that popa3d gives up root for. */
function passwdOf(users: string): string {
  const lines = users
    .trim()
    .split('\n')
    .map((line) => {
      const [user, , uid, gid] = line.split(':');
      return `${user}:x:${uid}:${gid}::/:/bin/sh`;
    });
  return `${['root:x:0:0::/:/bin/sh', 'popa3d:x:65533:65534::/:/bin/false', ...lines].join('\n')}\n`;
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
