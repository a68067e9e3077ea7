import { writeFile } from 'node:fs/promises';

/** A message as an mbox holds it: LF line ends, bodies quoted. */
export interface StoredMessage {
  readonly name: string;
  readonly octets: Buffer;
}

const header = (subject: string): string =>
  `From: Bob <bob@example.org>\nTo: alice@example.org\nDate: Mon, 02 Nov 2026 10:00:00 +0000\n` +
  `Message-ID: <${subject.replaceAll(' ', '-')}@example.org>\nSubject: ${subject}\n`;

const message = (name: string, body: string): StoredMessage => ({
  name,
  octets: Buffer.from(`${header(name)}\n${body}`, 'latin1'),
});

const everyOctetFrom = (first: number): string =>
  String.fromCharCode(...Array.from({ length: 256 - first }, (_, index) => first + index));

/** Messages that any client can carry. */
export const plainMail: readonly StoredMessage[] = [
  message('an ordinary message', 'Hello Alice,\n\nsee you at nine.\n'),
  message('lines of dots', '.\n..\n...\n.hidden\n\n.\n.\nlast\n.\n'),
  message('quoted From lines', 'He wrote:\n\n>From me to you\n>>From you to me\nFrom: inside\n'),
  message('lines at the limit', `${'x'.repeat(998)}\n${'y'.repeat(1000)}\n`),
  message('an empty body', ''),
  message('blank lines at the end', 'text\n\n\n\n'),
  message('eight bit', `Gr\xfc\xdfe, ${everyOctetFrom(128)}\n\xc3\x28 \xff\xfe is no UTF-8\n`),
  message('NUL octets', 'a\0b\n\0\n\0\0\0\n'),
];

/** Messages that most clients change or refuse: they break long lines, drop carriage returns, add blank lines. */
export const awkwardMail: readonly StoredMessage[] = [
  message('a line without end', `${'long '.repeat(200_000)}\n.${'.'.repeat(70_000)}\n`),
  message('carriage returns', 'bare\rreturn\nCR CR LF\r\r\nCRLF\r\n.\r\n\r.\r\n'),
  { name: 'no blank line', octets: Buffer.from(header('no blank line'), 'latin1') },
];

/** A message so long that no socket buffers it whole, 28 million octets and some. */
export const largeMessage: StoredMessage = message('large', `${'x'.repeat(69_999)}\n`.repeat(400));

/** The mbox of these messages, as a delivery agent leaves it. */
export const mboxOf = (messages: readonly StoredMessage[]): Buffer =>
  Buffer.concat(
    messages.flatMap(({ octets }) => [fromLine, octets, ...(octets.at(-1) === 0x0a ? [lineFeed] : [])]),
  );

/** Puts them where a user's mail lies, in place of what was there. */
export const putMail = (file: string, messages: readonly StoredMessage[]): Promise<void> =>
  writeFile(file, mboxOf(messages), { mode: 0o600 });

/** As RFC 1939 section 11 has it sent: each line ends with CRLF, the last one too. */
export function onWire(octets: Buffer): Buffer {
  const lines = octets.toString('latin1').replaceAll(/(?<!\r)\n/g, '\r\n');
  return Buffer.from(lines === '' || lines.endsWith('\n') ? lines : `${lines}\r\n`, 'latin1');
}

const fromLine = Buffer.from('From bob@example.org Mon Nov  2 10:00:00 2026\n');
const lineFeed = Buffer.from('\n');
