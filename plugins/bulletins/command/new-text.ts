import { fieldOf, parseBulletin } from '../bulletin-text.ts';

/** What is to become a bulletin. */
export interface Draft {
  /** A message with its header, with or without a From_ line; or, where there is a subject, its text alone. Octets as latin1. */
  readonly text: string;
  /** UTF-16, as people type it. */
  readonly subject: string | undefined;
  readonly expiresMs: number | undefined;
  readonly from: string | undefined;
}

export interface Surroundings {
  readonly host: string;
  readonly nowMs: number;
  /** Makes the Message-ID one of its own. */
  readonly serial: string;
}

/** The file, octets as latin1. Throws a TypeError that says what is missing. */
export function newText(draft: Draft, surroundings: Surroundings): string {
  const given = draft.text.replaceAll('\r\n', '\n');
  const { header, body } = draft.subject === undefined ? messageOf(given) : textOf(given, draft.subject);
  const isPlain = !/^mime-version[ \t]*:/im.test(header);
  const fields = [
    ...(draft.expiresMs === undefined ? [] : [['Expires', mailDateOf(draft.expiresMs)] as const]),
    ...missingFields(draft, surroundings),
    ...(isPlain && /[^\0-\x7f]/.test(body) ? eightBit : []),
  ];
  const added = fields.filter(([name]) => !new RegExp(`^${name}[ \\t]*:`, 'im').test(header));
  const lines = added.map(([name, value]) => `${name}: ${value}\n`).join('');
  return `From popper ${envelopeDateOf(surroundings.nowMs)}\n${lines}${header}\n${body}`;
}

interface Parts {
  /** Each line has its end. */
  readonly header: string;
  /** With `From ` quoted, as in any mbox. */
  readonly body: string;
}

function messageOf(given: string): Parts {
  const hasEnvelope = parseBulletin(Buffer.from(given, 'latin1')) !== undefined;
  const message = hasEnvelope ? given.slice(given.indexOf('\n') + 1) : given;
  const end = message.indexOf('\n\n');
  const header = end === -1 ? '' : message.slice(0, end + 1);
  const parsed = parseBulletin(Buffer.from(`${anyEnvelope}${header}`, 'latin1'));
  const isHeader = parsed?.fields.every(({ name }) => name !== '') ?? false;
  if (!isHeader || parsed === undefined || fieldOf(parsed, 'subject') === undefined)
    throw new TypeError('this is no message with a Subject: field; for a text alone, give --subject');
  const body = message.slice(end + 2);
  return { header, body: ended(hasEnvelope ? body : quoted(body)) };
}

function textOf(given: string, subject: string): Parts {
  if (given.trim() === '') throw new TypeError('there is no text');
  return { header: `Subject: ${encodedWords(subject)}\n`, body: ended(quoted(given)) };
}

const anyEnvelope = 'From popper Thu Jan  1 00:00:00 1970\n';
const quoted = (body: string): string => body.replaceAll(/^(>*From )/gm, '>$1');
const ended = (body: string): string => (body.endsWith('\n') ? body : `${body}\n`);

const missingFields = ({ from }: Draft, { host, nowMs, serial }: Surroundings) =>
  [
    ['From', from ?? `Postmaster <postmaster@${host}>`],
    // Each user reads his own address here.
    ['To', 'everybody:;'],
    ['Date', mailDateOf(nowMs)],
    ['Message-ID', `<bulletin.${serial}@${host}>`],
  ] as const;

const eightBit = [
  ['MIME-Version', '1.0'],
  ['Content-Type', 'text/plain; charset=utf-8'],
  ['Content-Transfer-Encoding', '8bit'],
] as const;

/** RFC 5322 section 3.3. */
const mailDateOf = (timeMs: number): string => new Date(timeMs).toUTCString().replace('GMT', '+0000');

function envelopeDateOf(timeMs: number): string {
  const [, weekday, day, month, year, time] =
    /^(.{3}), (..) (.{3}) (.{4}) (.{8})/.exec(new Date(timeMs).toUTCString()) ?? [];
  return `${weekday} ${month} ${day?.replace(/^0/, ' ')} ${time} ${year}`;
}

/** RFC 2047, for a subject that is not ASCII: words of 75 characters at most, none broken inside a character. */
function encodedWords(subject: string): string {
  const oneLine = subject.replaceAll(/\s+/g, ' ').trim();
  if (oneLine === '') throw new TypeError('the subject is empty');
  if (/^[\x20-\x7e]*$/.test(oneLine)) return oneLine;
  const words = [''];
  for (const character of oneLine) {
    const longer = `${words.at(-1)}${character}`;
    if (Buffer.byteLength(longer) > maxWordOctets) words.push(character);
    else words.splice(-1, 1, longer);
  }
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join('\n ');
}

const maxWordOctets = 45;
