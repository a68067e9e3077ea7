import type { Settings } from '../settings.ts';
import { latin1 } from './client.ts';

/** One line of a transcript's conversation, and where it stands, counted from 1. */
export type Step = { readonly lineNumber: number } & (
  | { readonly kind: 'client'; readonly octets: Uint8Array; readonly shown: string }
  | { readonly kind: 'server'; readonly pattern: string }
  | { readonly kind: 'client leaves' | 'server closes' }
);

/** A session that was written down: who is there, what lies in the maildrop, who says what. */
export interface Transcript {
  /** The comment it begins with. */
  readonly title: string;
  readonly user: string;
  readonly password: string;
  /** In whose words it is. */
  readonly replies: Settings['replies'];
  readonly messages: readonly { readonly uid: string; readonly text: Uint8Array }[];
  /** Numbers of the messages that are there after the session; undefined where the transcript does not say. */
  readonly kept: readonly number[] | undefined;
  readonly steps: readonly Step[];
}

interface Draft {
  title: string;
  user: string;
  password: string;
  replies: Settings['replies'];
  messages: { uid: string; text: Uint8Array }[];
  kept: readonly number[] | undefined;
  steps: Step[];
}

/**
 * Reads the `C:` and `S:` notation of the RFCs, with a header in front (test/transcripts/README.md). Throws an Error that
 * names the line which is none of it.
 */
export function parseTranscript(source: string): Transcript {
  const draft: Draft = {
    title: '',
    user: 'mrose',
    password: 'secret',
    replies: 'plain',
    messages: [],
    kept: undefined,
    steps: [],
  };
  for (const [index, line] of source.split('\n').entries()) {
    if (!readLine(draft, line.trimEnd(), index + 1)) {
      throw new Error(`line ${index + 1} of the transcript is neither header nor conversation: ${line}`);
    }
  }
  return draft;
}

function readLine(draft: Draft, line: string, lineNumber: number): boolean {
  if (line === '') return true;
  if (line.startsWith('#')) {
    draft.title ||= line.slice(1).trim();
    return true;
  }
  const readers = draft.steps.length === 0 ? [readStep, readHeader] : [readStep];
  return readers.some((read) => read(draft, line, lineNumber));
}

function readStep({ steps }: Draft, line: string, lineNumber: number): boolean {
  const [, who, how, text = ''] = /^([CS])( \(no CRLF\))?:(?: (.*))?$/.exec(line) ?? [];
  if (who === 'S' && how === undefined) steps.push({ kind: 'server', pattern: text, lineNumber });
  else if (who === 'C') {
    const octets = how === undefined ? latin1(`${text}\r\n`) : unescaped(text);
    steps.push({ kind: 'client', octets, shown: line, lineNumber });
  } else if (line === '-- client leaves') steps.push({ kind: 'client leaves', lineNumber });
  else if (line === '-- server closes') steps.push({ kind: 'server closes', lineNumber });
  else return false;
  return true;
}

function readHeader(draft: Draft, line: string): boolean {
  if (line.startsWith('|')) return readMessageLine(draft, line);
  const [, key = '', value = ''] = /^([A-Z][a-z]+(?: \(raw\))?):(?: (.*))?$/.exec(line) ?? [];
  const read = headers.get(key);
  if (read === undefined) return false;
  read(draft, value);
  return true;
}

const headers: ReadonlyMap<string, (draft: Draft, value: string) => void> = new Map([
  [
    'User',
    (draft, value) => {
      const [user = '', ...password] = value.split(' ');
      draft.user = user;
      draft.password = password.join(' ');
    },
  ],
  ['Message', (draft, value) => addMessage(draft, value === '' ? Buffer.alloc(0) : filler(value))],
  ['Message (raw)', (draft, value) => addMessage(draft, unescaped(value))],
  [
    'Uid',
    (draft, value) => {
      const last = draft.messages.at(-1);
      if (last !== undefined) last.uid = value;
    },
  ],
  [
    'Replies',
    (draft, value) => {
      if (value !== 'classic')
        throw new Error(`"Replies: ${value}" is to be "Replies: classic", or not there`);
      draft.replies = value;
    },
  ],
  [
    'Kept',
    (draft, value) => {
      draft.kept = value === 'none' ? [] : value.split(' ').map(Number);
    },
  ],
]);

function addMessage({ messages }: Draft, text: Uint8Array): void {
  messages.push({ uid: `uid-${messages.length + 1}`, text });
}

function readMessageLine({ messages }: Draft, line: string): boolean {
  const last = messages.at(-1);
  if (last === undefined) return false;
  last.text = Buffer.concat([last.text, latin1(`${line.slice(1).replace(/^ /, '')}\r\n`)]);
  return true;
}

const fillerHeader = 'Subject: filler\r\n\r\n';

/** A message of just so many octets: `120 octets`. */
function filler(value: string): Uint8Array {
  const octets = Number(/^([0-9]+) octets$/.exec(value)?.[1]);
  const bodyOctets = octets - fillerHeader.length - 2;
  if (!(bodyOctets >= 0)) throw new Error(`"Message: ${value}" is to be a number of octets, 21 or more`);
  return latin1(`${fillerHeader}${'x'.repeat(bodyOctets)}\r\n`);
}

const escapes: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '0': '\0', '\\': '\\' };

function unescaped(text: string): Buffer {
  const plain = text.replace(/\\(?:x([0-9a-f]{2})|(.))/gi, (_, hex: string | undefined, letter: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    const octet = escapes[letter];
    if (octet === undefined) throw new Error(`a transcript knows no \\${letter}`);
    return octet;
  });
  return latin1(plain);
}
