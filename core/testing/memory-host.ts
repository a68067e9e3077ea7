import { denied, granted, type Identity } from '../auth/login.ts';
import type { Maildrop } from '../maildrop/maildrop.ts';
import { definePlugin, type Plugin, type Popper } from '../plugin/plugin.ts';

/** The maildrop that every user gets, or who gets which. */
export type Opens =
  | Maildrop
  | ((identity: Identity, signal: AbortSignal) => Maildrop | undefined | Promise<Maildrop | undefined>);

/** Who may log in, and with what password. */
export type Passwords = Readonly<Record<string, string>>;

/** A plugin without options, written where a test needs it. */
export const testPlugin = (name: string, apply: (popper: Popper) => void): Plugin =>
  definePlugin({ name, apply })();

/** A plugin for tests, with an authenticator and a store in it: `mrose` logs in with `secret` unless told otherwise. */
export function memoryHost(opens: Opens, passwords: Passwords = { mrose: 'secret' }): Plugin {
  return testPlugin('memory-host', ({ hooks }) => {
    hooks.authenticate.tapPromise('memory-host', async ({ user, password }) => {
      const wanted = Object.hasOwn(passwords, user) ? passwords[user] : undefined;
      if (wanted === undefined) return undefined;
      const given = Buffer.from(password.reveal()).toString('latin1');
      return given === wanted ? granted(identityOf(user)) : denied('wrong password');
    });
    hooks.openMaildrop.tapPromise('memory-host', async (identity, signal) =>
      typeof opens === 'function' ? opens(identity, signal) : opens,
    );
  });
}

/** The identity that tests use for a user. */
export const identityOf = (user: string): Identity => ({ user, uid: 1000, gid: 1000, home: `/home/${user}` });
