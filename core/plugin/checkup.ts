import type { Identity } from '../auth/login.ts';
import type { Settings } from '../settings.ts';

/** Somebody who can log in, as the plugin that decides it says. */
export interface KnownUser {
  readonly identity: Identity;
  /** Where that is written, for an operator: `/etc/popper/passwd`. */
  readonly source: string;
  /** What to do where a file that is to be his belongs to this uid. */
  readonly fixOfOwner: (path: string, uid: number) => string;
}

export type LookAtUsers = (users: readonly KnownUser[]) => Promise<void>;

/** Who does what once the daemon serves: whoever checks may do more, or less. */
export interface WhoServes {
  /** With `user`, what is done behind a login is done by a process that is the user. */
  readonly isolation: Settings['isolation'];
  /** The account that talks to strangers with `isolation: 'user'`; otherwise it is the one that popper is started as. */
  readonly frontUser: string | undefined;
  /** The account that checks passwords with `isolation: 'user'`, where `authUser` names one; otherwise it is whoever starts popper. */
  readonly authUser: AuthUser | undefined;
}

export interface AuthUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Whose rights something is looked at with. */
type Other = 'front' | 'auth';

/** What `popper check` hands to each plugin: a place for what it found out about its own files and servers. */
export interface Checkup extends WhoServes {
  /** Something is as it should be. */
  fine(what: string): void;
  /** The daemon will run, and somebody may be surprised. `fix` says what to do. */
  warning(what: string, fix: string): void;
  /** The daemon, or some user, will not be served. `fix` says what to do. */
  problem(what: string, fix: string): void;
  /** This plugin lets him in. Told where he and his uid are written down, not where they are made up. */
  canLogIn(user: KnownUser): void;
  /** `look` is called with all users that all plugins let in, when they have said so. */
  withUsers(look: LookAtUsers): void;
  /**
   * `look` is called with the rights of `frontUser`, where there is one, when everything else has been looked at. What it does has to
   * be done when it returns. `access` tells of the rights of whoever checks all the same: only opening something tells.
   */
  asFront(look: () => void): void;
  /** The same with the rights of `authUser`. */
  asAuth(look: () => void): void;
}

/** The same where all of them report to: each finding comes with the name of the plugin that found it. */
export interface CheckupOfAll extends WhoServes {
  fine(what: string, plugin: string): void;
  warning(what: string, fix: string, plugin: string): void;
  problem(what: string, fix: string, plugin: string): void;
  canLogIn(user: KnownUser): void;
  withUsers(look: LookAtUsers, plugin: string): void;
  actAs(who: Other, look: () => void, plugin: string): void;
}

/** What one plugin of them is handed. */
export const checkupOf = (plugin: string, all: CheckupOfAll): Checkup => ({
  fine: (what) => all.fine(what, plugin),
  warning: (what, fix) => all.warning(what, fix, plugin),
  problem: (what, fix) => all.problem(what, fix, plugin),
  canLogIn: (user) => all.canLogIn(user),
  withUsers: (look) => all.withUsers(look, plugin),
  asFront: (look) => all.actAs('front', look, plugin),
  asAuth: (look) => all.actAs('auth', look, plugin),
  isolation: all.isolation,
  frontUser: all.frontUser,
  authUser: all.authUser,
});

/** `authUser` is for whoever has found out whether there is such an account. */
export const whoServes = (
  { isolation, user }: Pick<Settings, 'isolation' | 'user'>,
  authUser?: AuthUser,
): WhoServes => ({ isolation, frontUser: isolation === 'user' ? user : undefined, authUser });

/** Who can log in by all plugins together, and who wants to know. */
export class KnownUsers {
  readonly #users: KnownUser[] = [];
  readonly #looks: { readonly look: LookAtUsers; readonly plugin: string }[] = [];

  readonly canLogIn = (user: KnownUser): void => void this.#users.push(user);

  readonly withUsers = (look: LookAtUsers, plugin: string): void => void this.#looks.push({ look, plugin });

  /** To be called when each plugin has told of its own; `failed` hears of looks that end in an error. */
  async lookAtAll(failed: (error: unknown, plugin: string) => void): Promise<void> {
    for (const { look, plugin } of this.#looks) {
      await look(this.#users).catch((error: unknown) => failed(error, plugin));
    }
  }
}

/** It would go on with other rights than it was to have. */
function refusePromise(given: unknown): void {
  if (!(given instanceof Promise)) return;
  given.catch(() => {});
  throw new TypeError(
    'what is looked at as somebody else has to be done when it returns, and may not be async',
  );
}

/** What plugins look at as others do. It waits for its turn, because the rights are those of the whole process while it lasts. */
export class LooksAsOthers {
  readonly #looks: { readonly who: Other; readonly look: () => void; readonly plugin: string }[] = [];

  readonly actAs = (who: Other, look: () => void, plugin: string): void =>
    void this.#looks.push({ who, look, plugin });

  /** To be called when nothing else is done; `act` does something with their rights. */
  lookAtAll(
    act: (who: Other, look: () => void) => void,
    failed: (error: unknown, plugin: string) => void,
  ): void {
    for (const { who, look, plugin } of this.#looks) {
      try {
        act(who, () => refusePromise(look()));
      } catch (error) {
        failed(error, plugin);
      }
    }
  }
}
