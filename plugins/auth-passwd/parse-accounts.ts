import { setImmediate } from 'node:timers/promises';

import { allowedName, allowedNameRule } from 'popperd';

import { argon2Decoy } from './argon2.ts';
import { costClassOf, parseStoredPassword, type StoredPassword } from './stored-password.ts';

/** One user's line. What the line leaves out is undefined. */
export interface Account {
  readonly user: string;
  readonly stored: StoredPassword;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly home: string | undefined;
}

/** A line that nobody can log in by. */
export interface LineProblem {
  readonly lineNumber: number;
  /** What is wrong and how it is mended. Holds nothing of the line but a valid user name. */
  readonly reason: string;
}

export interface Accounts {
  readonly byUser: ReadonlyMap<string, Account>;
  /** Checked in place of an unknown user's hash: one of the class of cost that most users have. */
  readonly decoy: StoredPassword;
  readonly problems: readonly LineProblem[];
}

/** So many lines are read before other work gets its turn: a big file must not hold up the sessions. */
const linesAtOnce = 500;

/** Ids below this are the system's own, and no file can make mail be read as them. */
const lowestId = 10;
const highestId = 4_294_967_294;

/**
 * Reads `user:password:uid:gid:gecos:home:shell:extra` lines, as Dovecot's passwd-file and htpasswd write them. A line
 * may end after any field from the second on. Broken lines and second lines of a user are left out and reported.
 */
export async function parseAccounts(text: string): Promise<Accounts> {
  const byUser = new Map<string, Account>();
  const problems: LineProblem[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (index % linesAtOnce === linesAtOnce - 1) await setImmediate();
    const account = parseLine(line.replace(/\r$/, ''));
    if (account === undefined) continue;
    const reason = typeof account === 'string' ? account : keep(byUser, account);
    if (reason !== undefined) problems.push({ lineNumber: index + 1, reason });
  }
  return { byUser, decoy: decoyOf(byUser.values()), problems };
}

/** The user that a line is about, valid or not; undefined for comments and empty lines. */
export function userOfLine(line: string): string | undefined {
  if (line === '' || line.startsWith('#')) return undefined;
  return line.split(':', 1)[0];
}

function keep(byUser: Map<string, Account>, account: Account): string | undefined {
  if (byUser.has(account.user)) {
    return `${account.user} has a line above already, which is the one that counts: remove one of the two`;
  }
  byUser.set(account.user, account);
  return undefined;
}

function parseLine(line: string): Account | string | undefined {
  const user = userOfLine(line);
  if (user === undefined) return undefined;
  if (user === line) return 'there is no ":" in the line: write user:hash, or # before a comment';
  if (!allowedName(user)) return `the user name cannot be used: ${allowedNameRule}`;
  const account = parseFields(user, line.split(':').slice(1));
  return typeof account === 'string' ? `${user}: ${account}` : account;
}

function parseFields(user: string, fields: readonly string[]): Account | string {
  const [field = '', uid = '', gid = '', , home = '', , ...extra] = fields;
  const stored = parseStoredPassword(field);
  if (typeof stored === 'string') return stored;
  const faults = [
    faultOfId('uid', uid),
    faultOfId('gid', gid),
    faultOfHome(home),
    faultOfExtra(extra.join(':')),
  ];
  const fault = faults.find((each) => each !== undefined);
  return fault ?? { user, stored, uid: idOf(uid), gid: idOf(gid), home: home || undefined };
}

const idOf = (field: string): number | undefined => (field === '' ? undefined : Number(field));

function faultOfId(name: string, field: string): string | undefined {
  if (field === '') return undefined;
  const valid = /^\d{1,10}$/.test(field) && Number(field) >= lowestId && Number(field) <= highestId;
  return valid ? undefined : `${name} is to be a number from ${lowestId} to ${highestId}, or empty`;
}

function faultOfHome(home: string): string | undefined {
  if (home === '') return undefined;
  const valid = home.startsWith('/') && !home.includes('\0') && !home.split('/').includes('..');
  return valid ? undefined : 'home is to be an absolute path without "..", or empty';
}

/** Of Dovecot's extra fields these let fewer people in: to overlook one would let in whom the operator shut out. */
function faultOfExtra(extra: string): string | undefined {
  const word = /(?:^|\s)(nologin|allow_nets|allow_real_nets)(?:=|\s|$)/.exec(extra)?.[1];
  if (word === undefined) return undefined;
  return `${word} is not understood here, so nobody gets in by this line: write ! before the hash to shut the user out, or remove ${word}`;
}

function decoyOf(accounts: Iterable<Account>): StoredPassword {
  const classes = new Map<string, { readonly stored: StoredPassword; count: number }>();
  for (const { stored } of accounts) {
    if (stored.kind === 'locked') continue;
    const name = costClassOf(stored);
    const known = classes.get(name);
    if (known) known.count++;
    else classes.set(name, { stored, count: 1 });
  }
  const [most] = [...classes.values()].toSorted((one, other) => other.count - one.count);
  return most?.stored ?? argon2Decoy();
}
