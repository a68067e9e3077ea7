import { sha256 } from './canonical.ts';
import type { OpenFile } from './commit/index.ts';
import { isEnvelope, lookaheadOctets } from './envelope.ts';
import type { Mailbox } from './mailbox.ts';
import { octetsAlike } from './octets-alike.ts';
import type { Extent, Rows } from './rows.ts';
import { scanMailbox } from './scanner.ts';
import { temporaryDropPathOf } from './temporary-drop.ts';

/** A message of a temporary drop. */
export interface LeftMessage extends Extent {
  readonly index: number;
  readonly octets: number;
  readonly digest: Uint8Array;
}

interface Files {
  readonly file: OpenFile;
  readonly rows: Rows;
  readonly drop: OpenFile;
}

interface Left {
  readonly messages: readonly LeftMessage[];
  /** Octets of the drop that they are in. */
  readonly wholeOctets: number;
}

/** But for a message that a classic popper was copying from the mailbox when it died: there it is whole. */
export async function messagesIn(
  mailbox: Mailbox,
  files: Files,
  notedOctets: number | undefined,
): Promise<Left> {
  const { drop } = files;
  const { octets } = await drop.stat();
  const all = await scanDrop(mailbox, drop, octets);
  const offsets = all.messages.map(({ offset }) => offset);
  // The mailbox may have changed since it was noted.
  const end = notedOctets ?? (await wholeOctets(files, offsets));
  const { messages, strayOctets } = end === octets ? all : await scanDrop(mailbox, drop, end);
  const [first] = messages;
  if (strayOctets > 0 || (first !== undefined && !(await isEnvelopeAnywhere(drop, first)))) {
    throw new Error(
      `${temporaryDropPathOf(mailbox.place.path)}: does not begin with a message's From_ line: see what it is, and move it away`,
    );
  }
  return { messages, wholeOctets: end };
}

interface ScannedDrop {
  readonly messages: readonly LeftMessage[];
  readonly strayOctets: number;
}

async function scanDrop(mailbox: Mailbox, drop: OpenFile, to: number): Promise<ScannedDrop> {
  if (to === 0) return { messages: [], strayOctets: 0 };
  const { contentLength } = mailbox.place.surroundings.options;
  const messages: LeftMessage[] = [];
  const scan = { file: drop, from: 0, to, startsMailbox: true, contentLength };
  const { strayOctets } = await scanMailbox(scan, ({ canonical, isFolderInternalData, ...message }) => {
    if (isFolderInternalData) return;
    messages.push({ ...message, index: messages.length, digest: sha256(canonical) });
  });
  return { messages, strayOctets };
}

/** At the start of a file any From_ line will do; elsewhere it has to look like one. */
async function isEnvelopeAnywhere(drop: OpenFile, { offset }: LeftMessage): Promise<boolean> {
  const ahead = Buffer.alloc(lookaheadOctets);
  const text = ahead.toString('latin1', 0, await drop.read(ahead, offset));
  const [line = '', next = ''] = text.split('\n', 2);
  return isEnvelope(line.trimEnd(), 'blank line', next);
}

/**
 * Octets of the drop without a copy that was cut off. The mailbox's beginning then stands in it, octet for octet up to the
 * drop's end, which is no message's; it may have been cut off in a From_ line, too.
 */
async function wholeOctets({ file, rows, drop }: Files, offsets: readonly number[]): Promise<number> {
  const { octets } = await drop.stat();
  const { octets: mailboxOctets } = await file.stat();
  for (const start of [...offsets, await lastLineStart(drop, octets)]) {
    const length = octets - start;
    if (length < fromLine.length || length > mailboxOctets) continue;
    if (await octetsAlike({ file: drop, start }, { file, start: 0 }, length))
      return start + lastEndUpTo(rows, length);
  }
  return octets;
}

function lastEndUpTo(rows: Rows, octets: number): number {
  let end = 0;
  for (let row = 0; row < rows.count && rows.endOf(row) <= octets; row += 1) end = rows.endOf(row);
  return end;
}

const fromLine = 'From ';

async function lastLineStart(drop: OpenFile, octets: number): Promise<number> {
  const end = Buffer.alloc(Math.min(octets, 1024));
  await drop.read(end, octets - end.length);
  return octets - end.length + end.lastIndexOf(`\n${fromLine}`) + 1;
}
