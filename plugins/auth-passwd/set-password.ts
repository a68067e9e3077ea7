import { allowedName, allowedNameRule } from 'popperd';

import { hashArgon2 } from './argon2.ts';
import { editFile } from './edit-file.ts';
import { userOfLine } from './parse-accounts.ts';
import { passwordFault } from './password-limits.ts';

/**
 * A password as a password file keeps it, `{ARGON2ID}$argon2id$...`, with a fresh salt. Throws a TypeError where the
 * password is empty, too long for crypt(3), or holds what POP3 cannot carry; and a CannotHash where this Node cannot make one.
 */
export async function hashPassword(password: Uint8Array): Promise<string> {
  const fault = passwordFault(password);
  if (fault !== undefined) throw new TypeError(fault);
  return `{ARGON2ID}${await hashArgon2(password)}`;
}

/** Whose his mail is to the system. Text is latin1, so that octets of a path stay what they are. */
export interface Ownership {
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly home?: string | undefined;
}

/** What an edit did: a line of his own that was made, or the one he had. */
export type Done = 'added' | 'changed';

/**
 * Gives the user this password, durably: in his line, whose other fields stay but for those of `given`, or in a new line at
 * the end, which has those of `usual` besides. Makes the file (0600) where there is none. Throws a TypeError for a name or password that cannot be, a FileFault, and a CannotHash.
 */
export async function setPassword(
  file: string,
  user: string,
  password: Uint8Array,
  { given = {}, usual = {} }: { readonly given?: Ownership; readonly usual?: Ownership } = {},
): Promise<Done> {
  assertName(user);
  const hash = await hashPassword(password);
  let done: Done = 'added';
  const change = (text: string): string => {
    const lines = linesOf(text);
    const index = lines.findIndex((line) => userOfLine(line) === user);
    done = index === -1 ? 'added' : 'changed';
    return index === -1
      ? append(text, lineOf([user, hash], { ...usual, ...defined(given) }))
      : lines.with(index, changedLine(lines[index] ?? '', hash, given)).join('');
  };
  await editFile(file, change, { create: true });
  return done;
}

/** Removes every line of the user, durably: a second one would let him in again. Gives false where there was none. */
export async function deleteUser(file: string, user: string): Promise<boolean> {
  assertName(user);
  let found = false;
  const change = (text: string): string | undefined => {
    const lines = linesOf(text);
    const kept = lines.filter((line) => userOfLine(line) !== user);
    found = kept.length < lines.length;
    return found ? kept.join('') : undefined;
  };
  await editFile(file, change, { create: false });
  return found;
}

function assertName(user: string): void {
  if (!allowedName(user)) throw new TypeError(allowedNameRule);
}

/** Lines with their ends, so that joining them gives the text back octet for octet. */
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

function append(text: string, line: string): string {
  const isOpenEnded = text !== '' && !text.endsWith('\n');
  return `${text}${isOpenEnded ? '\n' : ''}${line}\n`;
}

function changedLine(line: string, hash: string, given: Ownership): string {
  const end = /\r?\n?$/.exec(line)?.[0] ?? '';
  const [user = '', , ...others] = line.slice(0, line.length - end.length).split(':');
  return lineOf([user, hash, ...others], given) + end;
}

/** user:hash:uid:gid:gecos:home, no longer than it has to be. */
function lineOf(fields: readonly string[], { uid, gid, home }: Ownership): string {
  const places: readonly (readonly [index: number, value: number | string | undefined])[] = [
    [2, uid],
    [3, gid],
    [5, home],
  ];
  const line = [...fields];
  for (const [index, value] of places) {
    if (value === undefined) continue;
    while (line.length < index) line.push('');
    line[index] = String(value);
  }
  return line.join(':');
}

const defined = (given: Ownership): Ownership =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
