import { resolve } from 'node:path';

import { definePlugin, granted, type Identity } from 'popperd';
import { z } from 'zod';

import { accountFile } from './account-file.ts';
import { complaintAboutHome, homeFrom } from './home.ts';
import { lookOver } from './look-over.ts';
import type { Account } from './parse-accounts.ts';
import { decidesLogins, loginOptions, passwordLogins } from './password-logins.ts';
import { passwd } from './subcommand.ts';

export { hashPassword, setPassword } from './set-password.ts';
export { verifyPassword } from './verify-password.ts';

// For plugins that keep accounts elsewhere.
export { matchesCrypt, parseCrypt, type CryptHash } from './crypt-hash.ts';
export { decoyOf } from './decoy.ts';
export { homeOfField } from './home.ts';
export { ParsedFile, type ParsedFileOptions } from './parsed-file.ts';
export { parseLines, type LineProblem, type UserLines } from './parse-lines.ts';
export type { AccountSet, AccountSource, WithPassword } from './password-checker.ts';
export { decidesLogins, loginOptions, passwordLogins, type PasswordLogins } from './password-logins.ts';
export { isLocked, lockedReason, type Locked, type StoredPassword } from './stored-password.ts';
export { tryToRead } from './try-to-read.ts';

const id = z.int().min(0).max(4_294_967_294);

const optionsSchema = z.strictObject({
  ...loginOptions,
  file: z.string().min(1),
  uid: id.optional(),
  gid: id.optional(),
  home: z
    .string()
    .refine((template) => complaintAboutHome(template) === undefined, {
      error: ({ input }) => complaintAboutHome(String(input)) ?? 'no template',
    })
    .default('/nonexistent'),
});

/** Logins from a password file, and `popper passwd` to keep it. */
export default definePlugin({
  name: 'auth-passwd',
  options: optionsSchema,
  subcommands: [passwd],

  apply(popper, options) {
    const path = resolve(popper.baseFolder, options.file);
    const file = accountFile(path, (what, fix) => popper.log.warn('password file', { what, fix }));
    const identityOf = ({ user, uid, gid, home }: Account): Identity => ({
      user,
      uid: uid ?? options.uid ?? ownUid(),
      gid: gid ?? options.gid ?? ownGid(),
      home: home ?? homeFrom(options.home, user),
    });
    const logins = passwordLogins(file, options, (account) => granted(identityOf(account)));
    const looked = { path, identityOf, isOwnByDefault: options.uid === undefined };

    popper.hooks.check.tapPromise('auth-passwd', (checkup) => lookOver(looked, checkup));
    popper.hooks.start.tapPromise('auth-passwd', async (role) => {
      if (decidesLogins(role)) await file.current();
    });
    popper.hooks.authenticate.tapPromise('auth-passwd', logins);
  },
});

// Where nobody says otherwise mail belongs to the user that the daemon runs as. Asked late: it drops its rights after
// the options were read.
const ownUid = (): number => process.geteuid?.() ?? 65_534;
const ownGid = (): number => process.getegid?.() ?? 65_534;
