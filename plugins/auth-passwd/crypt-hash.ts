import { timingSafeEqual } from 'node:crypto';

import { CannotHash } from './cannot-hash.ts';
import { crypt } from './libcrypt.ts';

/** A hash in one of the forms of crypt(3). */
export interface CryptHash {
  readonly kind: 'crypt';
  /** The whole hash, which is its own setting. */
  readonly hash: string;
  /** The method with its cost, as in `$2y$10$` or `$6$rounds=5000$`. */
  readonly cost: string;
}

/** Beyond these, one login would hold a core for many seconds. */
const maxBcryptCost = 16;
const maxRounds = 5_000_000;

/** Each form with its cost first, then the work factor if it has a number for one, then salt and hash. */
const forms: readonly (readonly [form: RegExp, maxWork: number])[] = [
  [/^(\$2[abxy]\$(\d\d)\$)[./A-Za-z0-9]{53}$/, maxBcryptCost],
  [/^(\$6\$(?:rounds=(\d{4,9})\$)?)[^$:\s]{0,16}\$[./A-Za-z0-9]{86}$/, maxRounds],
  [/^(\$5\$(?:rounds=(\d{4,9})\$)?)[^$:\s]{0,16}\$[./A-Za-z0-9]{43}$/, maxRounds],
  [/^(\$g?y\$[./A-Za-z0-9]+\$)[./A-Za-z0-9]*\$[./A-Za-z0-9]{43}$/, maxRounds],
  [/^(\$7\$[./A-Za-z0-9]{11})[./A-Za-z0-9]*\$[./A-Za-z0-9]{43}$/, maxRounds],
  [/^(\$1\$)[^$:\s]{0,8}\$[./A-Za-z0-9]{22}$/, maxRounds],
  [/^()[./A-Za-z0-9]{13}$/, maxRounds],
];

/** Reads a hash, or says what is wrong with it. Never repeats the hash. */
export function parseCrypt(hash: string): CryptHash | string {
  for (const [form, maxWork] of forms) {
    const [, cost, work] = form.exec(hash) ?? [];
    if (cost === undefined) continue;
    if (Number(work ?? 0) > maxWork) return `the cost of the hash, ${Number(work)}, is above ${maxWork}`;
    return { kind: 'crypt', hash, cost };
  }
  return 'the hash is cut short, or of a kind that crypt(3) does not know';
}

/** Computes off the event loop. Throws where this system's crypt(3) cannot do this kind of hash. */
export async function matchesCrypt({ hash, cost }: CryptHash, password: Uint8Array): Promise<boolean> {
  // C would see the end of the password here, and take its first half for the whole.
  const cut = password.includes(0);
  const computed = await crypt(password, hash);
  if (computed === undefined) {
    throw new CannotHash(
      `crypt(3) of this system refuses a hash of the kind "${cost}"`,
      'set the password again, or install a libcrypt that knows the kind',
    );
  }
  return !cut && equal(computed, hash);
}

function equal(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one, 'latin1'), Buffer.from(other, 'latin1')];
  return left.length === right.length && timingSafeEqual(left, right);
}
