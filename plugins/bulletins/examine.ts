import { stat } from 'node:fs/promises';

import { readBulletin } from './bulletin-file.ts';
import type { BulletinFolder } from './bulletin-folder.ts';
import { type BulletinName, readable } from './bulletin-name.ts';
import { type BulletinText, fieldOf, parseBulletin } from './bulletin-text.ts';
import { expiryMs } from './expiry.ts';
import type { Groups } from './groups.ts';

/** What an operator wants to know of a bulletin. */
export interface Examined {
  readonly bulletin: BulletinName;
  /** Fit for a terminal; empty where there is none. */
  readonly subject: string;
  /** Milliseconds since the epoch; undefined for one that does not expire. */
  readonly expiresMs: number | undefined;
  /** Why nobody gets it, nor those behind it. */
  readonly fault: Remark | undefined;
  /** What may surprise. */
  readonly warnings: readonly Remark[];
}

interface Remark {
  readonly what: string;
  readonly fix: string;
}

/** Looks at one bulletin, as whoever runs this. */
export async function examine(
  folder: BulletinFolder,
  groups: Groups,
  bulletin: BulletinName,
): Promise<Examined> {
  const path = folder.pathOf(bulletin.name);
  const shown = printable(path.toString('utf8'));
  const { group } = bulletin;
  if (groups.isUnknown(group))
    return faulty(bulletin, {
      what: printable(`${shown}: there is no group ${group}`),
      fix: 'name the group in groups, or give the file another name',
    });
  const unknown = await groups.whyUnknown(group);
  if (unknown !== undefined)
    return faulty(bulletin, { what: printable(`${shown}: ${unknown}`), fix: 'mend groups or groupFile' });
  try {
    const text = parseBulletin(await readBulletin(path));
    if (text === undefined) return faulty(bulletin, noEnvelope(shown));
    const isClosed = group === undefined && ((await stat(path)).mode & 0o004) === 0;
    const { expiresMs, warnings } = expiryIn(text, shown);
    const subject = printable(readable(fieldOf(text, 'subject') ?? ''));
    const all = [...warnings, ...(isClosed ? [closed(shown)] : [])];
    return { bulletin, subject, expiresMs, fault: undefined, warnings: all };
  } catch (error) {
    const what = `${shown}: ${error instanceof Error ? error.message : String(error)}`;
    return faulty(bulletin, { what, fix: 'mend the file or remove it' });
  }
}

const faulty = (bulletin: BulletinName, fault: Remark): Examined => ({
  bulletin,
  subject: '',
  expiresMs: undefined,
  fault,
  warnings: [],
});

const noEnvelope = (path: string): Remark => ({
  what: `${path}: does not begin with a From_ line, as a message in an mbox does`,
  fix: 'put "From NAME DATE" in front, or add it by popper bulletins add',
});

function expiryIn(text: BulletinText, path: string): Pick<Examined, 'expiresMs' | 'warnings'> {
  const expires = fieldOf(text, 'expires');
  const expiresMs = expires === undefined ? undefined : expiryMs(expires);
  const isOdd = expires !== undefined && expiresMs === undefined;
  return { expiresMs, warnings: isOdd ? [oddExpiry(path, expires)] : [] };
}

const oddExpiry = (path: string, text: string): Remark => ({
  what: `${path}: does not expire, because its Expires: is no date: ${printable(readable(text))}`,
  fix: 'write a day, as in 2026-12-31, or a date as mail has it',
});

const closed = (path: string): Remark => ({
  what: `${path}: not everybody may read it, and users' sessions read it as themselves with isolation: user`,
  fix: `chmod o+r ${path}`,
});

/** A terminal obeys what a file says, or its name. */
export const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, '?');
