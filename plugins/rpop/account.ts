/** A user of the system, as passwd(5) has him. */
export interface Account {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** The user's line in the text of a passwd file, the first that has his name; undefined where there is none that can be used. */
export function accountIn(text: string, user: string): Account | undefined {
  // With + or - begins a name of NIS: it stands for users of whom nothing is known here.
  if (/^[+-]|[:\n]/.test(user)) return undefined;
  const line = text.split('\n').find((one) => one.startsWith(`${user}:`));
  const fields = form.exec(line ?? '')?.groups;
  if (fields === undefined) return undefined;
  const { uid, gid, home = '' } = fields;
  const account = { user, uid: Number(uid), gid: Number(gid), home };
  return Math.max(account.uid, account.gid) > highestId ? undefined : account;
}

const highestId = 4_294_967_294;
/** Name, password, uid, gid, comment, home, shell. */
const form = /^[^:]+:[^:]*:(?<uid>\d{1,10}):(?<gid>\d{1,10}):[^:]*:(?<home>\/[^:]*):[^:]*$/;
