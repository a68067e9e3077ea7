// The mail that the bench serves: made from a seed, so that every run and every server has the same.

/** One message, as it is stored and as it has to come back. */
export interface Message {
  /** As an mbox holds it, with the envelope line before and the blank line after. */
  readonly stored: Buffer;
  /** The message alone, as a file of its own holds it. */
  readonly text: Buffer;
  /** Octets as LIST and STAT count them (RFC 1939 section 11). */
  readonly octets: number;
  /** What follows the status line of RETR, the lone dot included. */
  readonly wire: () => Buffer;
  /** What follows the status line of TOP n 0. */
  readonly topWire: () => Buffer;
}

/** A message whose header nobody else has, with a body of about so many octets. */
export function makeMessage(key: string, bodyOctets: number): Message {
  const header = headerOf(key);
  const body = bodyOf(random(key), bodyOctets);
  const text = Buffer.concat([header, body.text]);
  const stored = Buffer.concat([envelopeLine, text, lineFeed]);
  return {
    stored,
    text: stored.subarray(envelopeLine.length, -lineFeed.length),
    octets: text.length + lineFeedsIn(header) + body.lines,
    wire: once(() => wireOf(text)),
    topWire: once(() => wireOf(header)),
  };
}

/** Body sizes as mailboxes have them: most are short, a few hold an attachment. About 25 KB in the mean. */
export function bodyOctetsOf(key: string): number {
  const next = random(`size of ${key}`);
  const [from, to] = sizeClasses.find(({ share }) => (next() * 100) % 100 < share)?.octets ?? [2000, 8000];
  return Math.round(from + next() * (to - from));
}

/** Numbers from 0 to 1, below 1, always the same ones for the same key (mulberry32). */
export function random(key: string): () => number {
  let state = 0;
  for (const character of key) state = (Math.imul(state, 31) + (character.codePointAt(0) ?? 0)) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Tried in turn, each with its chance in percent; what is left over is short. */
const sizeClasses: readonly { readonly share: number; readonly octets: readonly [number, number] }[] = [
  { share: 3, octets: [120_000, 280_000] },
  { share: 12, octets: [40_000, 120_000] },
  { share: 30, octets: [8000, 40_000] },
];

const envelopeLine = Buffer.from('From sender@example.org Thu Nov 26 10:00:00 2026\n');
const lineFeed = Buffer.from('\n');

function headerOf(key: string): Buffer {
  const hops = ['mx.example.net', 'relay.example.com', 'desk.example.com'];
  return Buffer.from(
    [
      'Return-Path: <sender@example.org>',
      ...hops.map(
        (hop, index) =>
          `Received: from ${hop} (${hop} [192.0.2.${index + 1}])\n\tby host${index}.example.org (Mailer 8.1) with ESMTPS id ${key}.${index}\n\tfor <reader@example.org>; Thu, 26 Nov 2026 10:0${index}:00 +0000`,
      ),
      `Message-ID: <${key}@example.org>`,
      'Date: Thu, 26 Nov 2026 10:00:00 +0000',
      'From: A Sender <sender@example.org>',
      'To: A Reader <reader@example.org>',
      `Subject: number ${key}`,
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=us-ascii',
      '',
      '',
    ].join('\n'),
  );
}

/** Lines that bodies are cut from: 1 to 76 characters, some empty, some beginning with dots, none with `From `. */
const pool = makePool(random('pool'), 8 << 20);

interface Pool {
  readonly text: Buffer;
  /** Where each line begins. */
  readonly starts: Uint32Array;
}

function makePool(next: () => number, octets: number): Pool {
  const text = Buffer.alloc(octets);
  const starts: number[] = [];
  let used = 0;
  while (used < octets - 80) {
    starts.push(used);
    const kind = next();
    const length = kind < 0.06 ? 0 : kind < 0.8 ? 60 + Math.floor(next() * 16) : 1 + Math.floor(next() * 59);
    for (let index = 0; index < length; index += 1) text[used + index] = 0x61 + Math.floor(next() * 26);
    if (length > 0 && next() < 0.02) text[used] = 0x2e;
    used += length;
    text[used] = 0x0a;
    used += 1;
  }
  return { text: text.subarray(0, used), starts: Uint32Array.from(starts) };
}

/** Whole lines of the pool; a body longer than the pool goes through it again. */
function bodyOf(next: () => number, octets: number): { readonly text: Buffer; readonly lines: number } {
  const pieces: Buffer[] = [];
  let lines = 0;
  let left = octets;
  let line = Math.floor(next() * pool.starts.length * 0.5);
  while (left > 0) {
    const start = pool.starts[line] ?? 0;
    const endLine = lineAfter(start + left);
    const end = pool.starts[endLine] ?? pool.text.length;
    pieces.push(pool.text.subarray(start, end));
    lines += endLine - line;
    left -= end - start;
    line = 0;
  }
  const [only = Buffer.alloc(0)] = pieces;
  return { text: pieces.length === 1 ? only : Buffer.concat(pieces), lines };
}

/** The first line of the pool that begins at this offset or after it. */
function lineAfter(offset: number): number {
  let low = 0;
  let high = pool.starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pool.starts[middle] ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Slow, plain and none of the daemon's code: it says what is right. */
function wireOf(text: Buffer): Buffer {
  const lines = text.toString('latin1').replace(/^\./gm, '..').replaceAll('\n', '\r\n');
  return Buffer.from(`${lines}.\r\n`, 'latin1');
}

const lineFeedsIn = (text: Buffer): number =>
  text.reduce((count, octet) => count + (octet === 0x0a ? 1 : 0), 0);

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
