import { randomBytes } from 'node:crypto';

import { allowedName, allowedNameRule } from 'popperd';

import { argon2Decoy, lackOfArgon2 } from './argon2.ts';
import { decoyOf } from './decoy.ts';
import { plainDigest } from './digest.ts';
import { homeOfField } from './home.ts';
import { idOfField, idRule } from './id-field.ts';
import { parseLines, type UserLines } from './parse-lines.ts';
import { parseStoredPassword, type StoredPassword } from './stored-password.ts';

/** One user's line. What the line leaves out is undefined. */
export interface Account {
  readonly user: string;
  readonly stored: StoredPassword;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly home: string | undefined;
}

export interface Accounts extends UserLines<Account> {
  /** Checked in place of an unknown user's hash: one of the class of cost that most users have. */
  readonly decoy: StoredPassword;
}

/**
 * Reads `user:password:uid:gid:gecos:home:shell:extra` lines, as Dovecot's passwd-file and htpasswd write them. A line
 * may end after any field from the second on. Broken lines and second lines of a user are left out and reported.
 */
export async function parseAccounts(text: string): Promise<Accounts> {
  const lines = await parseLines(text, parseLine);
  return { ...lines, decoy: decoyOf(lines.byUser.values(), usualDecoy) };
}

/** What a new password costs; nobody has one that could be told from it. */
const usualDecoy = (): StoredPassword =>
  lackOfArgon2() === undefined ? argon2Decoy() : plainDigest(randomBytes(32));

/** The user that a line is about, valid or not; undefined for comments and empty lines. */
export function userOfLine(line: string): string | undefined {
  if (line === '' || line.startsWith('#')) return undefined;
  return line.split(':', 1)[0];
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
    home === '' || homeOfField(home) !== undefined ? undefined : homeRule,
    faultOfExtra(extra.join(':')),
  ];
  const fault = faults.find((each) => each !== undefined);
  return fault ?? { user, stored, uid: idOfField(uid), gid: idOfField(gid), home: homeOfField(home) };
}

const homeRule = 'home is to be an absolute path in UTF-8 without "..", or empty';

function faultOfId(name: string, field: string): string | undefined {
  if (field === '') return undefined;
  return idOfField(field) === undefined ? `${name} is to be ${idRule}, or empty` : undefined;
}

/** Of Dovecot's extra fields these let fewer people in: to overlook one would let in whom the operator shut out. */
function faultOfExtra(extra: string): string | undefined {
  const word = /(?:^|\s)(nologin|allow_nets|allow_real_nets)(?:=|\s|$)/.exec(extra)?.[1];
  if (word === undefined) return undefined;
  return `${word} is not understood here, so nobody gets in by this line: write ! before the hash to shut the user out, or remove ${word}`;
}
