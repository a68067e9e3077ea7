import { readFile } from 'node:fs/promises';

import { homeOfField } from './home.ts';
import { idOfField } from './id-field.ts';
import { parseLines } from './parse-lines.ts';

/** Whose mail it is to the system, as a line of passwd(5) has it. Text is latin1, so that octets stay what they are. */
export interface SystemUser {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export const systemFile = '/etc/passwd';

/** The users of the system by name; none where the file cannot be read, and none whose ids no password file may hold. */
export async function systemUsers(file = systemFile): Promise<ReadonlyMap<string, SystemUser>> {
  const text = await readFile(file, 'latin1').catch(() => '');
  return (await parseLines(text, parseLine)).byUser;
}

function parseLine(line: string): SystemUser | undefined {
  const [user = '', , uidField = '', gidField = '', , home = ''] = line.split(':');
  const [uid, gid] = [idOfField(uidField), idOfField(gidField)];
  if (uid === undefined || gid === undefined || homeOfField(home) === undefined) return undefined;
  return { user, uid, gid, home };
}
