import { allowedName, allowedNameRule } from 'popperd';

import { hashArgon2 } from './argon2.ts';
import { editFile } from './edit-file.ts';
import { userOfLine } from './parse-accounts.ts';
import { passwordFault } from './password-limits.ts';

/**
 * A password as a password file keeps it, `{ARGON2ID}$argon2id$...`, with a fresh salt. Throws a TypeError where the
 * password is empty, too long for crypt(3), or holds what POP3 cannot carry.
 */
export async function hashPassword(password: Uint8Array): Promise<string> {
  const fault = passwordFault(password);
  if (fault !== undefined) throw new TypeError(fault);
  return `{ARGON2ID}${await hashArgon2(password)}`;
}

/**
 * Gives the user this password, durably: in his line, whose other fields stay, or in a new line at the end. Makes the
 * file (0600) where there is none. Throws a TypeError for a name or password that cannot be, and a FileFault.
 */
export async function setPassword(
  file: string,
  user: string,
  password: Uint8Array,
): Promise<'added' | 'changed'> {
  assertName(user);
  const hash = await hashPassword(password);
  let done: 'added' | 'changed' = 'added';
  const change = (text: string): string => {
    const lines = linesOf(text);
    const index = lines.findIndex((line) => userOfLine(line) === user);
    done = index === -1 ? 'added' : 'changed';
    return index === -1
      ? append(text, `${user}:${hash}`)
      : lines.with(index, withHash(lines[index] ?? '', hash)).join('');
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

function withHash(line: string, hash: string): string {
  const end = /\r?\n?$/.exec(line)?.[0] ?? '';
  const [user = '', , ...others] = line.slice(0, line.length - end.length).split(':');
  return [user, hash, ...others].join(':') + end;
}
