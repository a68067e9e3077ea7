import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Debian packages whose programs the tests and the bench run, and what for. */
export const packages = [
  { name: 'curl', program: 'curl', why: 'a client: RETR, LIST and raw commands' },
  { name: 'mpop', program: 'mpop', why: 'a client that keeps mail on the server by UIDL and pipelines' },
  { name: 'fetchmail', program: 'fetchmail', why: 'a client that keeps mail on the server by UIDL' },
  { name: 'getmail6', program: 'getmail', why: 'a client that keeps mail on the server by UIDL' },
  { name: 'python3', program: 'python3', why: 'poplib is a client; its lockf is a foreign locker of mboxes' },
  {
    name: 'openssl',
    program: 'openssl',
    why: 'makes the certificates of the tests, and is a client of them',
  },
  { name: 'procmail', program: 'procmail', why: 'delivers beside the daemon; its lockfile takes dotlocks' },
  { name: 'strace', program: 'strace', why: 'an outside witness of the calls that change files' },
  { name: 'dovecot-pop3d', program: '/usr/lib/dovecot/pop3', why: 'the server that the bench compares with' },
  {
    name: 'systemd',
    program: 'systemd-analyze',
    why: 'looks over the units of docs/examples; it need not run',
  },
  { name: 'openbsd-inetd', program: 'inetd', why: 'starts popper --inetd for each connection' },
  { name: 'groff-base', program: 'groff', why: 'shows the manual pages' },
  { name: 'socat', program: 'socat', why: 'starts popa3d for each connection in the bench' },
  { name: 'postfix', program: 'postfix', why: 'a mailer and server that XTND XMIT hands messages to' },
  { name: 'rsyslog', program: 'rsyslogd', why: 'a syslog that the log is sent to' },
  { name: 'fail2ban', program: 'fail2ban-regex', why: 'finds guessers in logs of the classic style' },
  { name: 'haproxy', program: 'haproxy', why: 'a proxy that tells of its clients by the PROXY protocol' },
];

/** Those of them that are not there: a package counts as there when its program is. */
export const missingPackages = () => packages.filter(({ program }) => !found(program));

/** What an operator types to have them. */
export const aptLine = (wanted) =>
  `apt-get install -y --no-install-recommends ${wanted.map(({ name }) => name).join(' ')}`;

/** Installs them, as root or by sudo, starting none of their services. Throws where one is missing afterwards. */
export function installPackages(wanted) {
  if (wanted.length === 0) return;
  const release = holdServices();
  try {
    aptGet(['update', '-qq']);
    aptGet(['install', '-y', '-qq', '--no-install-recommends', ...wanted.map(({ name }) => name)]);
  } finally {
    release();
  }
  const still = wanted.filter(({ program }) => !found(program));
  if (still.length > 0) throw new Error(`still missing after the installation: ${aptLine(still)}`);
}

// Daemons lie where an ordinary user's PATH does not look.
const folders = () => [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];

const found = (program) =>
  folders().some((folder) => existsSync(join(program.startsWith('/') ? '/' : folder, program)));

function aptGet(args) {
  const asRoot = process.getuid?.() === 0 ? ['env'] : ['sudo', '-n', 'env'];
  const [program, ...rest] = [...asRoot, 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args];
  const { status, error } = spawnSync(program, rest, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) throw error;
  if (status !== 0) throw new Error(`apt-get ${args.join(' ')} failed with exit code ${status}`);
}

const policyFile = '/usr/sbin/policy-rc.d';

/** A policy that says "do not start" to every package's scripts, unless the machine has a policy of its own. */
function holdServices() {
  if (process.getuid?.() !== 0 || existsSync(policyFile)) return () => {};
  writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  return () => rmSync(policyFile, { force: true });
}
