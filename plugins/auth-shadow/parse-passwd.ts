import { homeOfField, type UserLines } from 'popper-plugin-auth-passwd';

import { parseUsers } from './parse-users.ts';

/** One user's line of passwd(5). */
export interface SystemUser {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
  /** The password field is `x`: the hash is in the shadow file. */
  readonly isShadowed: boolean;
}

const fieldCount = 7;
const highestId = 4_294_967_294;

export const parsePasswd = (text: string): Promise<UserLines<SystemUser>> =>
  parseUsers(text, { fieldCount, parse });

function parse(user: string, fields: readonly string[]): SystemUser | string {
  const [password, uid = '', gid = '', , homeField = '', shell = ''] = fields;
  if (!isId(uid) || !isId(gid)) return `uid and gid are to be numbers from 0 to ${highestId}`;
  const home = homeOfField(homeField);
  if (home === undefined) return 'home is to be an absolute path in UTF-8 without ".."';
  const isShadowed = password === 'x';
  // passwd(5): an empty field stands for this shell.
  return { user, uid: Number(uid), gid: Number(gid), home, shell: shell || '/bin/sh', isShadowed };
}

const isId = (field: string): boolean => /^\d{1,10}$/.test(field) && Number(field) <= highestId;
