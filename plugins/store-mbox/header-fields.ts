/** What a `Content-Length:` field says, with the octets before the counted body. */
export interface DeclaredContent {
  readonly headerOctets: number;
  readonly bodyOctets: number;
}

/** Reads the field from the beginning of a message; undefined if there is none, or no end of the header in sight. */
export function declaredContent(content: Buffer): DeclaredContent | undefined {
  const header = headerText(content);
  if (header === undefined) return undefined;
  const digits = /^content-length:[ \t]*(\d{1,15})[ \t]*\r?$/im.exec(header)?.[1];
  return digits === undefined ? undefined : { headerOctets: header.length, bodyOctets: Number(digits) };
}

/** UW's programs keep notes in a message of their own at the start of an mbox; it is not mail. */
export function isFolderInternalData(content: Buffer): boolean {
  const header = headerText(content) ?? '';
  return /^subject:.*folder internal data/im.test(header) && /^x-imap(?:base)?:/im.test(header);
}

const maxHeaderOctets = 64 * 1024;

/** The header with its empty line, an octet a character. */
function headerText(content: Buffer): string | undefined {
  const text = content.toString('latin1', 0, Math.min(content.length, maxHeaderOctets));
  const end = /^\r?\n|\n\r?\n/.exec(text);
  return end === null ? undefined : text.slice(0, end.index + end[0].length);
}
