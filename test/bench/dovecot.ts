import { mkdirSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Contender, Site } from './servers.ts';

/** Dovecot as it comes: a new login process and a new mail process for each session. */
export const dovecotDefault: Contender = {
  key: 'dovecot-default',
  name: 'Dovecot, default mode',
  isPeer: true,
  // Of what a session is at it makes what the other mode makes of it; it differs in how a session begins.
  skips: ['pipelined', 'big', 'uidl', 'top', 'mixed', 'drain', 'huge'],
  prepare: (site, port) => prepare(site, port, []),
};

/** Dovecot's high-performance mode: processes that serve one session after the other, and are there before it comes. */
export const dovecotHighPerformance: Contender = {
  key: 'dovecot',
  name: 'Dovecot, high-performance mode',
  isPeer: true,
  prepare: (site, port) => prepare(site, port, highPerformance),
};

export const dovecotMaildir: Contender = {
  key: 'dovecot-maildir',
  name: 'Dovecot, high-performance mode, Maildir',
  isPeer: true,
  format: 'Maildir',
  // 100,000 files a round take longer to make than all else.
  skips: ['huge'],
  prepare: (site, port) => prepare(site, port, highPerformance),
};

const highPerformance = [
  'service pop3-login {\n  service_count = 0\n  process_min_avail = 2\n}',
  'service pop3 {\n  service_count = 0\n  process_min_avail = 16\n}',
];

function prepare(site: Site, port: number, more: readonly string[]): string[] {
  const { folder, ownerOf } = site;
  const { uid, gid } = ownerOf('anyone');
  for (const name of ['home', 'index']) {
    mkdirSync(join(folder, name), { recursive: true });
    chownSync(join(folder, name), uid, gid);
  }
  const file = join(folder, 'dovecot.conf');
  writeFileSync(file, `${[...common(site, port), ...more].join('\n')}\n`);
  return ['dovecot', '-F', '-c', file];
}

function mailLocation({ folder, spool, format }: Site): string {
  const index = `INDEX=${folder}/index/%u`;
  return format === 'mbox'
    ? `mbox:${folder}/home/%u:INBOX=${spool}/%u:${index}`
    : `maildir:${spool}/%u:${index}`;
}

const common = (site: Site, port: number): string[] => [
  `base_dir = ${site.folder}/run`,
  `state_dir = ${site.folder}/lib`,
  `log_path = ${site.folder}/dovecot.log`,
  'protocols = pop3',
  'listen = 127.0.0.1',
  'ssl = no',
  'disable_plaintext_auth = no',
  'first_valid_uid = 1',
  `mail_location = ${mailLocation(site)}`,
  // Room for the thousand idle sessions, not a matter of speed.
  'default_client_limit = 5000',
  'default_process_limit = 2000',
  'service pop3 {\n  process_limit = 2000\n}',
  `service pop3-login {\n  inet_listener pop3 {\n    port = ${port}\n  }\n  inet_listener pop3s {\n    port = 0\n  }\n}`,
  `passdb {\n  driver = passwd-file\n  args = scheme=PLAIN username_format=%u ${site.passwdFile}\n}`,
  `userdb {\n  driver = passwd-file\n  args = username_format=%u ${site.passwdFile}\n}`,
];
