import { Refused } from './refused.ts';

/** One header field as it came: its name in lower case, and its lines, LF between them. */
export interface Field {
  readonly name: string;
  readonly text: string;
}

/**
 * The fields of a header whose lines end in LF. Throws a Refused where a line is no field: what one program takes for the
 * header's end, another may not, and so read recipients that were not looked at.
 */
export function parseHeader(header: string): readonly Field[] {
  const fields: Field[] = [];
  for (const [index, line] of linesOf(header).entries()) {
    const last = fields.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined)
      fields[fields.length - 1] = { ...last, text: `${last.text}\n${line}` };
    else fields.push({ name: nameOf(line, index + 1), text: line });
  }
  return fields;
}

/** What stands behind the name, on one line. */
export const valueOf = ({ text }: Field): string =>
  text
    .slice(text.indexOf(':') + 1)
    .replaceAll('\n', '')
    .trim();

/** The fields as a header, LF behind each line. */
export const headerText = (fields: readonly Pick<Field, 'text'>[]): string =>
  fields.map(({ text }) => `${text}\n`).join('');

const linesOf = (header: string): readonly string[] => {
  const lines = header.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
};

function nameOf(line: string, lineNumber: number): string {
  // RFC 5322 section 4.5 lets old mail have a space before the colon, and so hide a Bcc from those who do not know.
  const name = /^([!-9;-~]+)[ \t]*:/.exec(line)?.[1];
  if (name === undefined) throw new Refused(`line ${lineNumber} of the message is no header field`);
  return name.toLowerCase();
}
