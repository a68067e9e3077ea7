import type { NewMessage } from 'popperd';

/** A message as it goes into the mailbox. */
export interface ComposedMessage {
  /** The From_ line. */
  readonly envelope: Buffer;
  /** Ends in a line feed; an empty line has to follow. */
  readonly text: Buffer;
}

/**
 * Gives a message what an mbox needs: a From_ line, `>` before each line of the body that begins with `From ` behind any
 * number of `>` (mboxrd, so that it can be undone), and a field that holds its key. Line ends become LF. The same message
 * gives the same octets each time, so that it is known again: its From_ line has the date of its own `Date:`.
 */
export function composeMessage({ key, octets }: NewMessage): ComposedMessage {
  const source = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    .toString('latin1')
    .replaceAll('\r\n', '\n');
  const whole = source === '' || source.endsWith('\n') ? source : `${source}\n`;
  const { header, body } = split(whole);
  const text = `${keyField}: ${printable(key)}\n${header}${body.replaceAll(fromLine, '>$1')}`;
  return {
    envelope: Buffer.from(`From popper ${envelopeDate(header)}\n`, 'latin1'),
    text: Buffer.from(text, 'latin1'),
  };
}

/** The key of a message that `composeMessage` made, from its beginning; undefined if it has none. */
export function keyIn(content: Buffer): string | undefined {
  const [line = ''] = content.toString('latin1').split('\n', 1);
  return line.startsWith(`${keyField}: `) ? line.slice(keyField.length + 2) : undefined;
}

const keyField = 'X-Popper-Key';
const fromLine = /^(>*From )/gm;

/** Keys are a caller's, but a line end in one would make header fields of its rest. */
const printable = (key: string): string => key.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 900);

function split(text: string): { readonly header: string; readonly body: string } {
  if (text.startsWith('\n')) return { header: '', body: text };
  const end = text.indexOf('\n\n');
  return end === -1
    ? { header: text, body: '' }
    : { header: text.slice(0, end + 1), body: text.slice(end + 1) };
}

/** asctime(3) of the message's own date in UTC, or of 1970 if it has none. */
function envelopeDate(header: string): string {
  const field = /^date:(.*(?:\n[ \t].*)*)/im.exec(header)?.[1] ?? '';
  const timeMs = Date.parse(field.replaceAll('\n', ' ').trim());
  // Not a number is not below it either.
  const isUsable = timeMs >= 0 && timeMs < endMs;
  const words = /^(.{3}), (..) (.{3}) (.{4}) (.{8})/.exec(new Date(isUsable ? timeMs : 0).toUTCString());
  const [, weekday, day, month, year, time] = words ?? [];
  return `${weekday} ${month} ${day?.replace(/^0/, ' ')} ${time} ${year}`;
}

/** From here on a year has more than four digits. */
const endMs = Date.UTC(10_000, 0, 1);
