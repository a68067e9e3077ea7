import {
  type AccountSet,
  type AccountSource,
  ParsedFile,
  type ParsedFileOptions,
  type StoredPassword,
} from 'popper-plugin-auth-passwd';

import type { Aging } from './aging.ts';
import { parsePasswd, type SystemUser } from './parse-passwd.ts';
import { parseShadow, type Shadow } from './parse-shadow.ts';
import { parseShells } from './parse-shells.ts';

/** What the system knows of a user, from all of its files. */
export interface SystemAccount extends SystemUser {
  readonly stored: StoredPassword;
  /** Undefined for a user without a line in the shadow file, who is locked out. */
  readonly aging: Aging | undefined;
  /** True as well where nobody asks for listed shells. */
  readonly hasListedShell: boolean;
}

export interface SystemAccountSet extends AccountSet<SystemAccount> {
  /** The names of all users, in the order of the file. */
  readonly users: Iterable<string>;
}

export interface SystemFiles {
  readonly passwd: string;
  readonly shadow: string;
  /** Left out, every shell is as good as a listed one. */
  readonly shells: string | undefined;
}

/** The accounts of the files together; one that changes is read anew. */
export class SystemAccounts implements AccountSource<SystemAccount> {
  readonly #passwd: ParsedFile<Passwd>;
  readonly #shadow: ParsedFile<Shadow>;
  readonly #shells: ParsedFile<Shells> | undefined;
  #joined: Joined | undefined;

  /** `report` is told of each problem of a file once for each version. `daemon`: whose they may be, besides root's. */
  constructor(
    { passwd, shadow, shells }: SystemFiles,
    report: ParsedFileOptions<Passwd>['report'],
    daemon?: ParsedFileOptions<Passwd>['daemon'],
  ) {
    this.#passwd = new ParsedFile(passwd, { parse: parsePasswd, report, explanations, daemon });
    this.#shadow = new ParsedFile(shadow, {
      parse: parseShadow,
      report,
      explanations,
      isSecret: true,
      daemon,
    });
    if (shells !== undefined)
      this.#shells = new ParsedFile(shells, { parse: parseShells, report, explanations, daemon });
  }

  /** Throws a FileFault where one of the files could never be used yet. */
  current(): Promise<SystemAccountSet> {
    return this.#read('current');
  }

  recent(): Promise<SystemAccountSet> {
    return this.#read('recent');
  }

  async #read(when: 'current' | 'recent'): Promise<SystemAccountSet> {
    const [passwd, shadow, shells] = [this.#passwd, this.#shadow, this.#shells];
    const parts = await Promise.all([passwd[when](), shadow[when](), shells?.[when]()]);
    // The same set for the same files: whoever asks again sees by it that nothing has changed.
    const isSame = this.#joined?.parts.every((part, index) => part === parts[index]);
    if (this.#joined === undefined || isSame !== true) this.#joined = { parts, set: setOf(parts) };
    return this.#joined.set;
  }
}

type Passwd = Awaited<ReturnType<typeof parsePasswd>>;
type Shells = ReturnType<typeof parseShells>;
type Parts = readonly [Passwd, Shadow, Shells | undefined];

interface Joined {
  readonly parts: Parts;
  readonly set: SystemAccountSet;
}

const explanations: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file: mend the path'],
  [
    'EACCES',
    'may not be read by this user: start popper as root, or add its user to the group that may (often "shadow")',
  ],
]);

// Joined when asked for: one login wants one user, and there may be a hundred thousand.
function setOf([passwd, shadow, shells]: Parts): SystemAccountSet {
  const get = (user: string): SystemAccount | undefined => {
    const known = passwd.byUser.get(user);
    if (known === undefined) return undefined;
    const hasListedShell = shells === undefined || shells.shells.has(known.shell);
    return { ...known, ...passwordOf(known, shadow), hasListedShell };
  };
  return { byUser: { get }, users: passwd.byUser.keys(), decoy: shadow.decoy };
}

function passwordOf(
  { user, isShadowed }: SystemUser,
  shadow: Shadow,
): Pick<SystemAccount, 'stored' | 'aging'> {
  if (!isShadowed) return lockedOut('the password is not in the shadow file: pwconv(8) moves it there');
  return shadow.byUser.get(user) ?? lockedOut('the shadow file has no line for the user that can be used');
}

const lockedOut = (reason: string): Pick<SystemAccount, 'stored' | 'aging'> => ({
  stored: { kind: 'locked', reason },
  aging: undefined,
});
