import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';

import { definePlugin, denied, granted, unavailable, type Checkup, type Verdict } from 'popperd';
import { z } from 'zod';

import { AccountFile } from './account-file.ts';
import { Gate } from './gate.ts';
import { complaintAboutHome, homeFrom } from './home.ts';
import { PasswordChecker, type PasswordCheck } from './password-checker.ts';
import { passwd } from './subcommand.ts';
import { verify } from './verify.ts';

export { hashPassword, setPassword } from './set-password.ts';

const id = z.int().min(0).max(4_294_967_294);

/** Hashing and file work share four threads; one is kept free so that mail is read while passwords are checked. */
const defaultChecksAtOnce = Math.min(availableParallelism(), 3);

const optionsSchema = z.strictObject({
  file: z.string().min(1),
  uid: id.optional(),
  gid: id.optional(),
  home: z
    .string()
    .refine((template) => complaintAboutHome(template) === undefined, {
      error: ({ input }) => complaintAboutHome(String(input)) ?? 'no template',
    })
    .default('/nonexistent'),
  others: z.boolean().default(false),
  checksAtOnce: z.int().min(1).max(64).default(defaultChecksAtOnce),
  checksWaiting: z.int().min(0).max(10_000).default(128),
});

/** Logins from a password file, and `popper passwd` to keep it. */
export default definePlugin({
  name: 'auth-passwd',
  options: optionsSchema,

  apply(popper, options) {
    const path = resolve(popper.baseFolder, options.file);
    const report = (what: string, fix: string): void => popper.log.warn('password file', { what, fix });
    const file = new AccountFile(path, { report });
    const gate = new Gate({ running: options.checksAtOnce, waiting: options.checksWaiting });
    const checker = new PasswordChecker({ file, gate, verify });

    popper.subcommands.add(passwd);
    popper.hooks.check.tapPromise('auth-passwd', (checkup) => lookOver(path, checkup));
    popper.hooks.start.tapPromise('auth-passwd', async () => {
      await file.current();
    });
    popper.hooks.authenticate.tapPromise('auth-passwd', async (attempt, session) => {
      if (attempt.method !== 'password') return undefined;
      try {
        const check = await checker.check(attempt.user, attempt.password.reveal(), session.signal);
        return check.kind === 'unknown' && options.others ? undefined : verdictOn(check, options);
      } catch (cause) {
        return unavailable(cause);
      }
    });
  },
});

async function lookOver(path: string, checkup: Checkup): Promise<void> {
  const file = new AccountFile(path, { report: (what, fix) => checkup.warning(what, fix) });
  try {
    const { byUser } = await file.current();
    checkup.fine(`${path}: ${byUser.size} users`);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    checkup.problem(what, 'nobody in this file can log in before that is mended');
  }
}

function verdictOn(check: PasswordCheck, options: z.output<typeof optionsSchema>): Verdict {
  if (check.kind === 'unknown') return denied('no such user');
  if (check.kind === 'wrong') return denied('wrong password');
  const { user, uid = options.uid ?? ownUid(), gid = options.gid ?? ownGid(), home } = check.account;
  return granted({ user, uid, gid, home: home ?? homeFrom(options.home, user) });
}

// Where nobody says otherwise mail belongs to the user that the daemon runs as. Asked late: it drops its rights after
// the options were read.
const ownUid = (): number => process.geteuid?.() ?? 65_534;
const ownGid = (): number => process.getegid?.() ?? 65_534;
