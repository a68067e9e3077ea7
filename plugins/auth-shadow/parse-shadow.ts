import {
  type CryptHash,
  decoyOf,
  isLocked,
  type Locked,
  lockedReason,
  parseCrypt,
  type StoredPassword,
  type UserLines,
} from 'popper-plugin-auth-passwd';

import type { Aging } from './aging.ts';
import { parseUsers } from './parse-users.ts';

/** One user's line of shadow(5). */
export interface ShadowEntry {
  readonly user: string;
  readonly stored: CryptHash | Locked;
  readonly aging: Aging;
}

export interface Shadow extends UserLines<ShadowEntry> {
  /** Checked in place of an unknown user's hash: one that costs what most hashes of the file do. */
  readonly decoy: StoredPassword;
}

const fieldCount = 9;

/** Where nobody has a hash: what chpasswd(8) makes where it is not told otherwise. No password is known to give it. */
const loneDecoy: CryptHash = { kind: 'crypt', hash: `$6$nobodys.salt$${'.'.repeat(86)}`, cost: '$6$' };

export async function parseShadow(text: string): Promise<Shadow> {
  const lines = await parseUsers(text, { fieldCount, parse });
  return { ...lines, decoy: decoyOf(lines.byUser.values(), () => loneDecoy) };
}

function parse(user: string, [password = '', ...fields]: readonly string[]): ShadowEntry | string {
  const stored = parsePassword(password);
  if (typeof stored === 'string') return stored;
  // The last field is reserved.
  const days = fields.slice(0, -1);
  if (!days.every(isDays)) return 'dates and ages are to be numbers of days, or empty';
  const [lastChangeDay, , maxAgeDays, , inactiveDays, expiryDay] = days.map(daysOf);
  return { user, stored, aging: { lastChangeDay, maxAgeDays, inactiveDays, expiryDay } };
}

function parsePassword(field: string): CryptHash | Locked | string {
  if (field === '')
    return { kind: 'locked', reason: 'the user has an empty password, which opens nothing here' };
  return isLocked(field) ? { kind: 'locked', reason: lockedReason } : parseCrypt(field);
}

/** chage(1) takes -1 for "no limit", and some tools write it. */
const isDays = (field: string): boolean => /^(?:\d{0,10}|-1)$/.test(field);
const daysOf = (field: string): number | undefined =>
  field === '' || field === '-1' ? undefined : Number(field);
