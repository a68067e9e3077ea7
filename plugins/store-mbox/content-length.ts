import { isEnvelope, lookaheadOctets } from './envelope.ts';
import type { ReadableFile } from './file-window.ts';

/**
 * Says whether a message may end at `position`, where its `Content-Length:` says so: another one begins there, or
 * behind an empty line or two, or the mailbox ends. A length that leads anywhere else is a lie or a mistake.
 */
export async function isMessageEnd(
  file: ReadableFile,
  position: number,
  mailboxEnd: number,
): Promise<boolean> {
  if (position > mailboxEnd) return false;
  const ahead = Buffer.alloc(Math.min(lookaheadOctets + maxEmptyOctets, mailboxEnd - position));
  const octets = await file.read(ahead, position);
  const text = ahead.toString('latin1', 0, octets);
  const empty = /^(?:\r?\n){0,2}/.exec(text)?.[0] ?? '';
  if (position + empty.length >= mailboxEnd) return true;
  const [line = '', next = ''] = text.slice(empty.length).split(/\r?\n/, 2);
  return line.startsWith('From ') && isEnvelope(line, empty === '' ? 'text' : 'blank line', next);
}

/** Two empty lines. */
const maxEmptyOctets = 4;
