import { writeSync } from 'node:fs';
import { userInfo } from 'node:os';

import { complaintAboutRights, type Rights } from './rights.ts';
import { refuseSystemUid } from './ticket-gate.ts';

export interface BecomeOptions {
  /** No uid below it, and never 0. */
  readonly minUid: number;
  /** Keep group mail where the system says that the user is in it. It opens everybody's mailbox on a Debian spool. */
  readonly mailGroup?: boolean;
}

/**
 * Makes this process, which is root, a process of the user: groups, gid, uid, in that order, in all threads, for good. Then
 * proves it, and cleans what root left: environment, umask, working folder. Throws, and has changed nothing, where
 * the user is not one to become. Where anything goes wrong after that the process is killed on the spot: half a
 * change of user is no state to run a line of anybody's code in.
 */
export function becomeUser(
  { uid, gid }: { readonly uid: number; readonly gid: number },
  options: BecomeOptions,
): void {
  refuseSystemUid(uid, options.minUid);
  const mail = groupMail();
  if (gid === 0) throw new RangeError('gid 0 is of the system');
  if (gid === mail && options.mailGroup !== true) throw new RangeError('group mail would open every mailbox');
  try {
    initialiseGroups(uid, gid);
    process.setgid?.(gid);
    const groups = withoutGroups([0, ...(mail === undefined || options.mailGroup === true ? [] : [mail])]);
    process.setuid?.(uid);
    prove({ uid, gid, groups });
    cleanUp();
  } catch (error) {
    dieAtOnce(error);
  }
}

/** Those the system has for whoever has this uid. A login's name is no help: another account may be called so. */
function initialiseGroups(uid: number, gid: number): void {
  const name = systemNameOf(uid);
  if (name === undefined) process.setgroups?.([gid]);
  else process.initgroups?.(name, gid);
}

/** Leaves groups out, though the user may be in them. After `setgid`: Node counts the effective group as one of them. */
function withoutGroups(unwanted: readonly number[]): readonly number[] {
  const groups = (process.getgroups?.() ?? []).filter((group) => !unwanted.includes(group));
  process.setgroups?.(groups);
  return groups;
}

/** undefined where the system does not know the uid: it may be known to an auth plugin only. */
function systemNameOf(uid: number): string | undefined {
  // Node looks up nobody but oneself.
  process.seteuid?.(uid);
  try {
    return userInfo().username;
  } catch {
    return undefined;
  } finally {
    process.seteuid?.(0);
  }
}

/** The gid of group mail, or undefined where the system has none. */
export function groupMail(): number | undefined {
  const before = process.getegid?.() ?? 0;
  try {
    // Node has no other way to look a group up.
    process.setegid?.('mail');
    return process.getegid?.();
  } catch {
    return undefined;
  } finally {
    process.setegid?.(before);
  }
}

function prove(rights: Rights): void {
  const complaint = complaintAboutRights(rights);
  if (complaint !== undefined) throw new Error(complaint);
}

/** What a process of anybody's needs of the environment: language and time. */
const keptVariables = /^(LANG|LC_[A-Z]+|TZ)$/;

function cleanUp(): void {
  for (const name of Object.keys(process.env)) if (!keptVariables.test(name)) delete process.env[name];
  process.umask(0o077);
  process.chdir('/');
}

/** Not `process.exit`, which lets plugins' exit handlers run. */
function dieAtOnce(error: unknown): never {
  const why = error instanceof Error ? error.message : String(error);
  writeSync(
    process.stderr.fd,
    `popper: could not give up the rights of root, so this process ends: ${why}\n`,
  );
  process.kill(process.pid, 'SIGKILL');
  // The signal comes with the return from the call; should it not, there is still no way on from here.
  for (;;) process.abort();
}
