import { latin1 } from '../client.ts';

/** A message that stores get wrong, and what is special about it. */
export interface Letter {
  readonly what: string;
  readonly octets: Uint8Array;
}

const everyOctet = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join('');

const texts: readonly (readonly [what: string, text: string])[] = [
  ['nothing special about it', 'From: a@example.org\nSubject: hello\n\nfirst line\nsecond line\n'],
  ['CRLF line ends', 'Subject: crlf\r\n\r\none\r\ntwo\r\n'],
  ['CRLF and LF line ends mixed', 'Subject: mixed\r\n\none\r\ntwo\nthree\r\n'],
  ['dots at line starts', '.Subject: dots\n\n.\n..\n...x\n.\n'],
  ['a dot after a bare CR', 'Subject: cr\n\none\r.\rtwo\n'],
  ['CRCRLF line ends', 'Subject: crcrlf\r\r\n\r\r\nbody\r\r\n'],
  ['no empty line', 'Subject: all header\nX: y\n'],
  ['no body', 'Subject: no body\n\n'],
  ['no header', '\nall body\n'],
  ['empty lines at its end', 'Subject: tail\n\nbody\n\n\n\n'],
  ['every octet there is', `Subject: binary\n\n${everyOctet}\n`],
  ['lines quoted as mbox quotes them', 'Subject: quoted\n\n>From here\n>>From there\n'],
  ['a line of 1000 octets', `Subject: long\n\n${'x'.repeat(1000)}\n`],
  ['a line of 1 MB', `Subject: longer\n\n${'y'.repeat(1_000_000)}\n`],
  ['no last line end', 'Subject: cut off\n\nbody'],
];

/**
 * Messages as a delivery agent hands them over: line ends of all kinds, dots, octets of all values. None has a line that
 * begins with `From `, which an agent that delivers to an mbox would have changed.
 */
export const letters: readonly Letter[] = texts.map(([what, text]) => ({ what, octets: latin1(text) }));

/** An ordinary message of its own for each number. */
export const letterNumber = (number: number): Uint8Array =>
  latin1(
    `From: a@example.org\nSubject: letter ${number}\nMessage-ID: <${number}@example.org>\n\nbody ${number}\n`,
  );

export function letterOf(what: string): Uint8Array {
  const letter = letters.find((candidate) => candidate.what === what);
  if (letter === undefined) throw new RangeError(`there is no letter with ${what}`);
  return letter.octets;
}
