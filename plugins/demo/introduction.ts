import { join } from 'node:path';

import type { DemoUser } from './settle.ts';

interface Where extends DemoUser {
  readonly folder: string;
  readonly address: string | undefined;
}

/** What a newcomer needs next: lines to copy, and where things lie. */
export function introduction({ folder, user, password: made, address = '' }: Where): string {
  const password = made ?? 'PASSWORD';
  const { host, port } = hostAndPort(address);
  const url = `pop3://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return `
popper is ready. Try it from another terminal:

  curl -u ${user}:${password} ${url}/          list the messages
  curl -u ${user}:${password} ${url}/1         read the first one

  telnet ${host} ${port}
    USER ${user}
    PASS ${password}
    LIST
    RETR 2
    QUIT

${made === undefined ? changed(folder, user) : ''}Where things lie:
  mail      ${join(folder, 'mail', user)}
  users     ${join(folder, 'passwd')}    (npx popper passwd add ${join(folder, 'passwd')} NAME)
  password  ${join(folder, 'password.txt')}

Ctrl-C stops it; the next start finds everything as you left it.

`;
}

const changed = (
  folder: string,
  user: string,
): string => `PASSWORD is the one that ${user} was given since: it was changed in ${join(folder, 'passwd')}.

`;

/** A listening address as the daemon prints it: `127.0.0.1:1110` or `[::1]:1110`. */
function hostAndPort(address: string): { host: string; port: string } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: address.slice(colon + 1) };
}
