import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { allowedName, allowedNameRule } from 'popperd';
import type { Subcommand, SubcommandIo } from 'popperd';

import { accountFile } from './account-file.ts';
import { lackOfArgon2 } from './argon2.ts';
import { askPassword, Cancelled } from './ask-password.ts';
import { CannotHash } from './cannot-hash.ts';
import { FileFault } from './file-fault.ts';
import { homeOfField } from './home.ts';
import { idOfField, idRule } from './id-field.ts';
import { deleteUser, type Ownership, setPassword } from './set-password.ts';
import { systemFile, systemUsers } from './system-users.ts';
import { verifyPassword } from './verify-password.ts';

const usage = `usage: popper passwd add FILE USER      set the password of a user, old or new
       popper passwd delete FILE USER   remove a user
       popper passwd verify FILE USER   check a password

With add: --uid UID, --gid GID and --home FOLDER say as whom the user's mail is read, and where his home is.
A new user who is one of the system's has all three from /etc/passwd, unless they are given. For others
the options of auth-passwd decide.

The password is asked for on a terminal, and read from the first line of standard input otherwise.
Ends with 0 when done, 1 for a wrong password or a user who is not there, 2 when it cannot be done.
`;

/** `popper passwd`: keeps a password file. Ends with 0 done, 1 wrong password or no such user, 2 cannot be done so. */
export const passwd = passwdFor(systemFile);

/** The same for a system whose users stand in this file. */
export function passwdFor(system: string): Subcommand {
  return {
    name: 'passwd',
    summary: 'add, change, delete or verify a user of a password file',
    usage,

    async run(args, io) {
      const words = wordsOf(args);
      const action = words && actions.get(words.action);
      if (words === undefined || action === undefined) {
        io.stderr.write(usage);
        return 2;
      }
      try {
        if (!allowedName(words.user)) throw new TypeError(allowedNameRule);
        const given = ownershipOf(words.options);
        return await action({ file: resolve(words.file), user: words.user, given, system, io });
      } catch (error) {
        return explain(error, io);
      }
    },
  };
}

interface Words {
  readonly action: string;
  readonly file: string;
  readonly user: string;
  readonly options: Readonly<Partial<Record<'uid' | 'gid' | 'home', string>>>;
}

/** Undefined where they are not to be understood. */
function wordsOf(args: readonly string[]): Words | undefined {
  const string = { type: 'string' } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { uid: string, gid: string, home: string },
      allowPositionals: true,
    });
    const [action, file, user, ...others] = positionals;
    if (action === undefined || file === undefined || user === undefined || others.length > 0)
      return undefined;
    if (action !== 'add' && Object.keys(values).length > 0) return undefined;
    return { action, file, user, options: values };
  } catch {
    return undefined;
  }
}

function ownershipOf({ uid, gid, home }: Words['options']): Ownership {
  return { uid: idOf('--uid', uid), gid: idOf('--gid', gid), home: homeOf(home) };
}

function idOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const id = idOfField(text);
  if (id === undefined) throw new TypeError(`${option} is to be ${idRule}`);
  return id;
}

function homeOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const field = Buffer.from(text).toString('latin1');
  if (homeOfField(field) !== undefined && !/[:\r\n]/.test(field)) return field;
  throw new TypeError('--home is to be an absolute path without ":" and ".."');
}

interface Request {
  readonly file: string;
  readonly user: string;
  /** What the options say. */
  readonly given: Ownership;
  readonly system: string;
  readonly io: SubcommandIo;
}

const actions: ReadonlyMap<string, (request: Request) => Promise<number>> = new Map([
  ['add', add],
  ['delete', remove],
  ['verify', check],
]);

async function add({ file, user, given, system, io }: Request): Promise<number> {
  // First, so that nobody types a password for nothing.
  const lack = lackOfArgon2();
  if (lack !== undefined) throw lack;
  const password = await askPassword(io, [`New password for ${user}: `, 'The same again: ']);
  const { uid, gid, home } = (await systemUsers(system)).get(user) ?? {};
  const usual = { uid, gid, home };
  const done = await setPassword(file, user, password, { given, usual });
  const isOfSystem = done === 'added' && uid !== undefined;
  io.stdout.write(`${done} ${user}${isOfSystem ? asInSystem(usual, given, system) : ''}\n`);
  return 0;
}

function asInSystem(usual: Ownership, given: Ownership, system: string): string {
  const taken = (['uid', 'gid', 'home'] as const).filter((field) => given[field] === undefined);
  if (taken.length === 0) return '';
  return `, with ${taken.map((field) => `${field} ${Buffer.from(String(usual[field]), 'latin1').toString()}`).join(', ')} from ${system}`;
}

async function remove({ file, user, io }: Request): Promise<number> {
  if (await deleteUser(file, user)) {
    io.stdout.write(`deleted ${user}\n`);
    return 0;
  }
  io.stderr.write(`${file}: there is no user ${user}\n`);
  return 1;
}

async function check({ file, user, io }: Request): Promise<number> {
  const report = (what: string, fix: string): void => void io.stderr.write(`${what} (${fix})\n`);
  // First, so that nobody types a password for a file that cannot be read.
  await accountFile(file, () => {}).current();
  const password = await askPassword(io, [`Password of ${user}: `]);
  const { isRight, reason } = await verifyPassword(file, { user, password }, report);
  (isRight ? io.stdout : io.stderr).write(`${reason}\n`);
  return isRight ? 0 : 1;
}

const isExpected = (error: unknown): error is Error =>
  [FileFault, TypeError, Cancelled, CannotHash].some((kind) => error instanceof kind);

function explain(error: unknown, { stderr }: SubcommandIo): number {
  if (!isExpected(error)) throw error;
  stderr.write(`popper passwd: ${error.message}\n`);
  return 2;
}
