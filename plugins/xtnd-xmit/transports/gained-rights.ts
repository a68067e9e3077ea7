import { readFile } from 'node:fs/promises';

/**
 * Mailers that are setuid, or start a program that is setgid, complain so where that gains them nothing; and Postfix where a unit
 * that forbids it forbids netlink sockets as well.
 */
const ofRights = /permission denied|not permitted|set[ug]id|privilege|getifaddrs/i;

/** What to add to a mailer's complaint, where this process and those that it starts can gain no rights; empty otherwise. */
export const adviceOnRights = async (complaint: string): Promise<string> =>
  adviceOn(complaint, await readFile('/proc/self/status', 'utf8').catch(() => ''));

/** `status` is what Linux says of this process. */
export function adviceOn(complaint: string, status: string): string {
  if (!ofRights.test(complaint) || !/^NoNewPrivs:\t1$/m.test(status)) return '';
  return '; NoNewPrivileges=yes of the unit may be why: send by smtp to the mailer on this machine, or see sendmail in docs/guide/systemd.md';
}
