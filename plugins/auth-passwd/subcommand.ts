import { resolve } from 'node:path';

import { allowedName, allowedNameRule } from 'popperd';
import type { Subcommand, SubcommandIo } from 'popperd';

import { accountFile } from './account-file.ts';
import { askPassword, Cancelled } from './ask-password.ts';
import { FileFault } from './file-fault.ts';
import { Gate } from './gate.ts';
import { PasswordChecker } from './password-checker.ts';
import { deleteUser, setPassword } from './set-password.ts';
import { verify } from './verify.ts';

const usage = `usage: popper passwd add FILE USER      set the password of a user, old or new
       popper passwd delete FILE USER   remove a user
       popper passwd verify FILE USER   check a password

The password is asked for on a terminal, and read from the first line of standard input otherwise.
Ends with 0 when done, 1 for a wrong password or a user who is not there, 2 when it cannot be done.
`;

/** `popper passwd`: keeps a password file. Ends with 0 done, 1 wrong password or no such user, 2 cannot be done so. */
export const passwd: Subcommand = {
  name: 'passwd',
  summary: 'add, change, delete or verify a user of a password file',
  usage,

  async run(args, io) {
    const [word = '', file, user, ...others] = args;
    const action = actions.get(word);
    if (action === undefined || file === undefined || user === undefined || others.length > 0) {
      io.stderr.write(usage);
      return 2;
    }
    try {
      if (!allowedName(user)) throw new TypeError(allowedNameRule);
      return await action({ file: resolve(file), user, io });
    } catch (error) {
      return explain(error, io);
    }
  },
};

interface Request {
  readonly file: string;
  readonly user: string;
  readonly io: SubcommandIo;
}

const actions: ReadonlyMap<string, (request: Request) => Promise<number>> = new Map([
  ['add', add],
  ['delete', remove],
  ['verify', check],
]);

async function add({ file, user, io }: Request): Promise<number> {
  const password = await askPassword(io, [`New password for ${user}: `, 'The same again: ']);
  const done = await setPassword(file, user, password);
  io.stdout.write(`${done} ${user}\n`);
  return 0;
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
  const accounts = accountFile(file, report);
  await accounts.current();
  const password = await askPassword(io, [`Password of ${user}: `]);
  const checker = new PasswordChecker({ accounts, gate: new Gate({ running: 1, waiting: 0 }), verify });
  const answer = await checker.check(user, password, new AbortController().signal);
  if (answer.kind === 'right') {
    io.stdout.write('the password is right\n');
    return 0;
  }
  const reason = answer.kind === 'unknown' ? `${file}: there is no user ${user}` : answer.reason;
  io.stderr.write(`${reason}\n`);
  return 1;
}

function explain(error: unknown, { stderr }: SubcommandIo): number {
  if (!(error instanceof FileFault || error instanceof TypeError || error instanceof Cancelled)) throw error;
  stderr.write(`popper passwd: ${error.message}\n`);
  return 2;
}
