import { createHash } from 'node:crypto';

// In front, because the letters below are made at once.
const fromLine = 'From bob@example.org Mon Nov  2 10:00:00 2026\n';

/** Messages as an mbox holds them, From_ line and empty line included, so that an mbox is their concatenation. */
export type Letters = readonly Buffer[];

/** Twelve letters, three of them the same octet for octet; 40 KiB in all, so that most deletions take several steps. */
export const letters: Letters = Array.from({ length: 12 }, (_, index) =>
  letter(index % 3 === 2 && index < 9 ? 'twin' : `letter-${index}`, 700 + ((index * 2711) % 5600)),
);

/** What a client may mark in a maildrop of twelve. */
export const patterns: Readonly<Record<string, readonly number[]>> = {
  first: [0],
  last: [11],
  odd: [0, 2, 4, 6, 8, 10],
  all: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  'all but first': [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  middle: [4, 5, 6, 7],
  random: [1, 5, 8, 9],
};

/** A letter that can tell whether it is whole: the first line of its body is the digest of everything else. */
export function letter(subject: string, octets: number): Buffer {
  const length = subject === 'twin' ? 3000 : octets;
  const header = `From: bob@example.org\nSubject: ${subject}\n\n`;
  const line = `.${subject} ${'all work and no play makes a dull mailbox '.repeat(2)}\n`;
  const text = line.repeat(Math.ceil(length / line.length)).slice(0, length - 1);
  return Buffer.from(`${fromLine}${header}${digestOf(header, `${text}\n`)}\n${text}\n\n`, 'latin1');
}

/** Whether what a client fetched (CRLF line ends) is whole by its own word. */
export function isWhole(fetched: Buffer): boolean {
  const text = fetched.toString('latin1').replaceAll('\r\n', '\n');
  const [, header, digest, rest] = /^((?:.+\n)+\n)([0-9a-f]{64})\n([^]*)$/.exec(text) ?? [];
  return header !== undefined && rest !== undefined && digest === digestOf(header, rest);
}

/** The letter as a client fetches it. */
export const fetchedForm = (stored: Buffer): Buffer =>
  Buffer.from(stored.toString('latin1').slice(fromLine.length, -1).replaceAll('\n', '\r\n'), 'latin1');

function digestOf(header: string, text: string): string {
  return createHash('sha256').update(header, 'latin1').update(text, 'latin1').digest('hex');
}
