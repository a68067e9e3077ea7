import { mkdirSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Contender, Site } from './servers.ts';

/** Dovecot as it comes: a new login process and a new mail process for each session. */
export const dovecotDefault: Contender = {
  name: 'Dovecot, default mode',
  prepare: (site, port) => prepare(site, port, []),
};

/** Dovecot's high-performance mode: processes that serve one session after the other, and are there before it comes. */
export const dovecotHighPerformance: Contender = {
  name: 'Dovecot, high-performance mode',
  prepare: (site, port) =>
    prepare(site, port, [
      'service pop3-login {\n  service_count = 0\n  process_min_avail = 2\n}',
      'service pop3 {\n  service_count = 0\n  process_min_avail = 16\n}',
    ]),
};

function prepare(site: Site, port: number, more: readonly string[]): string[] {
  const { folder, owner } = site;
  for (const name of ['home', 'index']) {
    mkdirSync(join(folder, name), { recursive: true });
    chownSync(join(folder, name), owner.uid, owner.gid);
  }
  const file = join(folder, 'dovecot.conf');
  writeFileSync(file, `${[...common(site, port), ...more].join('\n')}\n`);
  return ['dovecot', '-F', '-c', file];
}

const common = ({ folder, spool, passwdFile }: Site, port: number): string[] => [
  `base_dir = ${folder}/run`,
  `state_dir = ${folder}/lib`,
  `log_path = ${folder}/dovecot.log`,
  'protocols = pop3',
  'listen = 127.0.0.1',
  'ssl = no',
  'disable_plaintext_auth = no',
  'first_valid_uid = 1',
  `mail_location = mbox:${folder}/home/%u:INBOX=${spool}/%u:INDEX=${folder}/index/%u`,
  // Room for the thousand idle sessions, not a matter of speed.
  'default_client_limit = 5000',
  'default_process_limit = 2000',
  'service pop3 {\n  process_limit = 2000\n}',
  `service pop3-login {\n  inet_listener pop3 {\n    port = ${port}\n  }\n  inet_listener pop3s {\n    port = 0\n  }\n}`,
  `passdb {\n  driver = passwd-file\n  args = scheme=PLAIN username_format=%u ${passwdFile}\n}`,
  `userdb {\n  driver = passwd-file\n  args = username_format=%u ${passwdFile}\n}`,
];
