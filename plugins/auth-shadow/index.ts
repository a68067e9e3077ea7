import { resolve } from 'node:path';

import { decidesLogins, loginOptions, passwordLogins, tryToRead } from 'popper-plugin-auth-passwd';
import { definePlugin, denied, granted, type Popper, type Verdict } from 'popperd';
import { z } from 'zod';

import { dayOf, daysOverdue } from './aging.ts';
import { lookOver } from './look-over.ts';
import { refusalOf } from './refusal.ts';
import { type SystemAccount, SystemAccounts, type SystemFiles } from './system-accounts.ts';

const path = z.string().min(1);

const optionsSchema = z.strictObject({
  ...loginOptions,
  minUid: z.int().min(1).max(4_294_967_294).default(11),
  requireShell: z.boolean().default(false),
  passwd: path.default('/etc/passwd'),
  shadow: path.default('/etc/shadow'),
  shells: path.default('/etc/shells'),
});

type Options = z.output<typeof optionsSchema>;

/** Logins of the system's own users, from passwd(5) and shadow(5). */
export default definePlugin({
  name: 'auth-shadow',
  options: optionsSchema,

  apply(popper, options) {
    const files = filesOf(options, popper.baseFolder);
    const accounts = new SystemAccounts(files, (what, fix) =>
      popper.log.warn('system accounts', { what, fix }),
    );
    const admit = (account: SystemAccount): Verdict => verdictOn(account, options.minUid, popper);

    popper.hooks.check.tapPromise('auth-shadow', async (checkup) => {
      try {
        const looked = new SystemAccounts(files, (what, fix) => checkup.warning(what, fix), checkup.authUser);
        tryToRead(
          [files.passwd, files.shadow, ...(files.shells === undefined ? [] : [files.shells])],
          checkup,
        );
        await lookOver(await looked.current(), { minUid: options.minUid, source: files.passwd }, checkup);
      } catch (error) {
        const what = error instanceof Error ? error.message : String(error);
        checkup.problem(what, 'no user of the system can log in before that is mended');
      }
    });
    popper.hooks.start.tapPromise('auth-shadow', async (role) => {
      if (decidesLogins(role)) await accounts.current();
    });
    popper.hooks.authenticate.tapPromise('auth-shadow', passwordLogins(accounts, options, admit));
  },
});

function filesOf({ passwd, shadow, shells, requireShell }: Options, baseFolder: string): SystemFiles {
  return {
    passwd: resolve(baseFolder, passwd),
    shadow: resolve(baseFolder, shadow),
    shells: requireShell ? resolve(baseFolder, shells) : undefined,
  };
}

function verdictOn(account: SystemAccount, minUid: number, { log }: Pick<Popper, 'log'>): Verdict {
  const today = dayOf(Date.now());
  const refusal = refusalOf(account, { minUid, today });
  if (refusal !== undefined) return denied(refusal);
  const { user, uid, gid, home, aging } = account;
  const overdueDays = aging === undefined ? 0 : daysOverdue(aging, today);
  if (overdueDays > 0) log.info('logged in with a password that is to be changed', { user, overdueDays });
  return granted({ user, uid, gid, home });
}
