import type { FileHandle } from 'node:fs/promises';

import type { Envelope } from './envelope.ts';
import { type LineEnd, LineEnds } from './line-ends.ts';
import { outgoingHeader, type Rules } from './outgoing-header.ts';
import { Refused } from './refused.ts';

/** A message that is complete, and ready to be handed on. */
export interface Letter {
  readonly envelope: Envelope;
  /** Holds the message alone, as it is to be sent. */
  readonly file: FileHandle;
  readonly octets: number;
  /** Whether all of it is ASCII. */
  readonly isSevenBit: boolean;
}

export interface ReceiveRules extends Rules {
  readonly maxMessageOctets: number;
  readonly lineEnd: LineEnd;
}

/** Held in memory until it is whole. */
const maxHeaderOctets = 256 * 1024;

/** A client may send in pieces as small as it likes: so many octets are worked on at one time. */
const batchOctets = 64 * 1024;

/**
 * Takes a message from a client into a file, header and line ends as they are to be sent. Throws a Refused where it is not sent,
 * and what `body` throws where the client leaves: then nothing is known of what it meant to say.
 */
export async function receive(
  body: AsyncIterable<Uint8Array>,
  file: FileHandle,
  rules: ReceiveRules,
): Promise<Letter> {
  const lineEnds = new LineEnds('\n');
  const header = new Header(rules);
  const spooled = new Spooled(file, rules.lineEnd);
  let receivedOctets = 0;
  let batch = '';
  for await (const chunk of body) {
    receivedOctets += chunk.length;
    if (receivedOctets > rules.maxMessageOctets)
      throw new Refused(`the message is too long: ${rules.maxMessageOctets} octets at most`);
    batch += lineEnds.add(chunk);
    if (batch.length < batchOctets) continue;
    await spooled.write(header.pass(batch));
    batch = '';
  }
  if (receivedOctets === 0) throw new Refused('the message is empty');
  await spooled.write(header.pass(batch + lineEnds.end()) + header.end());
  return { envelope: header.envelope, file, octets: spooled.octets, isSevenBit: spooled.isSevenBit };
}

/** Holds text back until the header is whole, and lets it through as it is to be sent. */
class Header {
  readonly #rules: Rules;
  #text = '';
  #envelope: Envelope | undefined;

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  /** Who gets it; asked for when the header has ended. */
  get envelope(): Envelope {
    if (this.#envelope === undefined) throw new Error('the header has not ended');
    return this.#envelope;
  }

  pass(text: string): string {
    if (this.#envelope !== undefined) return text;
    const seenOctets = this.#text.length;
    this.#text += text;
    const end = endOfHeader(this.#text, seenOctets);
    if ((end ?? this.#text.length) > maxHeaderOctets)
      throw new Refused(`the header is too long: ${maxHeaderOctets} octets at most`);
    return end === undefined ? '' : this.#outgoing(end);
  }

  /** A message may be all header, and need not end in a line end. */
  end(): string {
    if (this.#envelope !== undefined) return '';
    return this.#outgoing(this.#text.length);
  }

  #outgoing(end: number): string {
    const { text, envelope } = outgoingHeader(this.#text.slice(0, end), this.#rules, new Date());
    this.#envelope = envelope;
    const rest = this.#text.slice(end);
    this.#text = '';
    return `${text}${rest === '' ? '\n' : rest}`;
  }
}

/** Where the header ends and the empty line begins. */
function endOfHeader(text: string, seenOctets: number): number | undefined {
  if (text.startsWith('\n')) return 0;
  const found = text.indexOf('\n\n', Math.max(0, seenOctets - 1));
  return found === -1 ? undefined : found + 1;
}

/** The file as it grows. */
class Spooled {
  readonly #file: FileHandle;
  readonly #lineEnd: LineEnd;
  octets = 0;
  isSevenBit = true;

  constructor(file: FileHandle, lineEnd: LineEnd) {
    this.#file = file;
    this.#lineEnd = lineEnd;
  }

  async write(text: string): Promise<void> {
    if (text === '') return;
    this.isSevenBit &&= !/[\x80-\xff]/.test(text);
    let rest = Buffer.from(this.#lineEnd === '\n' ? text : text.replaceAll('\n', '\r\n'), 'latin1');
    // By position, so that whoever is given the descriptor reads from the beginning.
    while (rest.length > 0) {
      const { bytesWritten } = await this.#file.write(rest, 0, rest.length, this.octets);
      this.octets += bytesWritten;
      rest = rest.subarray(bytesWritten);
    }
  }
}
