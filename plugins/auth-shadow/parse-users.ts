import { parseLines, type UserLines } from 'popper-plugin-auth-passwd';
import { allowedName } from 'popperd';

/** How lines of one file are read: `parse` is given the name and the fields behind it, and answers a sentence where they are wrong. */
interface LineForm<Entry> {
  readonly fieldCount: number;
  readonly parse: (user: string, fields: readonly string[]) => Entry | string;
}

/** Longer lines are no accounts: the system's own tools write a few hundred octets. */
const maxLineOctets = 4096;

/** Reads passwd(5) or shadow(5). Lines that cannot be used, and second lines of a user, are left out and reported. */
export const parseUsers = <Entry extends { readonly user: string }>(
  text: string,
  form: LineForm<Entry>,
): Promise<UserLines<Entry>> => parseLines(text, (line) => parseLine(line, form));

// Undefined for lines about nobody who could log in: comments, names that no client may ask for, and the "+" and "-"
// lines that stand for users of NIS.
function parseLine<Entry>(line: string, { fieldCount, parse }: LineForm<Entry>): Entry | string | undefined {
  if (line.length > maxLineOctets) return `the line is longer than ${maxLineOctets} octets`;
  // "+" would pass for a name, and a line "+::0:0:::" for an account of root without a password.
  if (/^(?:[#+-]|\s*$)/.test(line)) return undefined;
  const [user = '', ...fields] = line.split(':');
  if (fields.length !== fieldCount - 1)
    return `the line has ${fields.length + 1} fields, and ${fieldCount} are expected`;
  if (!allowedName(user)) return undefined;
  const entry = parse(user, fields);
  return typeof entry === 'string' ? `${user}: ${entry}` : entry;
}
