/** Octets of a message that others take the place of. */
export interface FieldEdit {
  /** Counted from the message's start, behind its From_ line. */
  readonly start: number;
  readonly end: number;
  /** No shorter than what it replaces; the same number of lines, or one more where it replaces nothing. */
  readonly text: Buffer;
}

/**
 * What the classic popper wrote into a message when a session ended: `Status: RO` if it was retrieved, `Status: U` if it was
 * not and had no such field, as the last of the header. undefined if there is nothing to write, no header that ends within
 * 63 KiB, or one whose last line begins with `From `: with a field behind it, it could be taken for a message's first.
 */
export function statusEdit(content: Buffer, isRetrieved: boolean): FieldEdit | undefined {
  const header = headerOf(content);
  if (header === undefined) return undefined;
  const found = statusIn(header.text);
  if (found === undefined && isBehindFromLine(header.text)) return undefined;
  if (found === undefined)
    return { ...header.place, text: fieldOf(isRetrieved ? 'RO' : 'U', header.lineEnd) };
  if (!isRetrieved || /^status:.*r.*o/is.test(found.text)) return undefined;
  return { start: found.start, end: found.end, text: fieldOf('RO', found.lineEnd, found.text.length) };
}

interface Header {
  /** An octet a character. */
  readonly text: string;
  /** Where a field can be added. */
  readonly place: { readonly start: number; readonly end: number };
  readonly lineEnd: string;
}

/** With the field it still ends within the 64 KiB in which `Content-Length:` is believed. */
const maxHeaderOctets = 63 * 1024;

function headerOf(content: Buffer): Header | undefined {
  const text = content.toString('latin1', 0, Math.min(content.length, maxHeaderOctets));
  const found = /^(\r?\n)|\n(\r?\n)/.exec(text);
  const lineEnd = found?.[1] ?? found?.[2];
  if (found !== null && lineEnd !== undefined) {
    const start = found.index + found[0].length - lineEnd.length;
    return { text: text.slice(0, start), place: { start, end: start }, lineEnd };
  }
  // All of it is header.
  if (content.length > maxHeaderOctets || !text.endsWith('\n')) return undefined;
  const place = { start: text.length, end: text.length };
  return { text, place, lineEnd: text.endsWith('\r\n') ? '\r\n' : '\n' };
}

const isBehindFromLine = (header: string): boolean => /(?<![^\n])From [^\n]*\n$/.test(header);

interface Field {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly lineEnd: string;
}

/** One that goes on over several lines is nobody's status. A line begins behind a line feed only, not a carriage return. */
function statusIn(header: string): Field | undefined {
  const found = /(?<![^\n])status:[^\r\n]*(\r?\n)(?![ \t])/i.exec(header);
  if (found === null) return undefined;
  const [text, lineEnd = '\n'] = found;
  return { start: found.index, end: found.index + text.length, text, lineEnd };
}

/** What is longer stays as long: a mailbox must not become shorter. */
const fieldOf = (value: string, lineEnd: string, octets = 0): Buffer =>
  Buffer.from(`${`Status: ${value}`.padEnd(octets - lineEnd.length)}${lineEnd}`, 'latin1');
