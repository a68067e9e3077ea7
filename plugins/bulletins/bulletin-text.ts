/** A bulletin's file, taken apart. A character is an octet, and line ends are LF. */
export interface BulletinText {
  readonly fields: readonly Field[];
  /** With the empty line in front of it; empty where the file ends with its header. */
  readonly body: string;
}

export interface Field {
  /** In lower case; empty for a line that is no field. */
  readonly name: string;
  /** Whole lines: the field with what is folded. */
  readonly text: string;
}

/** undefined where the file does not begin with a From_ line. */
export function parseBulletin(octets: Uint8Array): BulletinText | undefined {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    .toString('latin1')
    .replaceAll('\r\n', '\n');
  const [envelope = ''] = text.split('\n', 1);
  if (!isEnvelope(envelope)) return undefined;
  const message = text.slice(envelope.length + 1);
  const headerOctets = message.startsWith('\n') ? 0 : endOfHeader(message);
  return { fields: fieldsOf(message.slice(0, headerOctets)), body: message.slice(headerOctets) };
}

/** The last field's line end belongs to it. */
function endOfHeader(message: string): number {
  const index = message.indexOf('\n\n');
  return index === -1 ? message.length : index + 1;
}

/** `From `, somebody, and a time with a year, in whichever of the forms that mailboxes have. */
const isEnvelope = (line: string): boolean =>
  line.startsWith('From ') && /\s\d{1,2}:\d\d(?::\d\d)?\s/.test(line) && /\s\d{4}(?:\s|$)/.test(line);

/** The field's text without its name, unfolded; undefined where there is no such field. */
export function fieldOf({ fields }: BulletinText, name: string): string | undefined {
  const text = fields.find((field) => field.name === name)?.text;
  return text
    ?.slice(name.length)
    .replace(/^[ \t]*:/, '')
    .replaceAll('\n', '')
    .trim();
}

/**
 * The message as one user gets it: each `To:` is his, and the fields are gone that another maildrop has added. A field goes with all
 * its folded lines.
 */
export function addressedTo(address: string, { fields, body }: BulletinText): Uint8Array {
  const header = fields.map(({ name, text }) => {
    if (name === 'to') return `To: ${address}\n`;
    return foreign.has(name) ? '' : text;
  });
  // As in any mbox, `From ` is quoted here; the store quotes anew.
  const plain = body.replaceAll(/^>(>*From )/gm, '$1');
  return Buffer.from(header.join('') + plain, 'latin1');
}

/** What the maildrop that a bulletin was saved from knew of it. Content-Length would count another header's message. */
const foreign = new Set(['status', 'x-uidl', 'content-length', 'x-popper-key']);

function fieldsOf(header: string): readonly Field[] {
  const texts = header === '' ? [] : header.split(/(?<=\n)(?![ \t]|$)/);
  return texts.map((text) => ({ name: nameOf(text), text }));
}

const nameOf = (text: string): string => /^([!-9;-~]+)[ \t]*:/.exec(text)?.[1]?.toLowerCase() ?? '';
