import { createHash, hash, type Hash } from 'node:crypto';

/**
 * The canonical form of a message, whose SHA-256 is what the message is known by. It is
 *
 *     "popper1\0", From_ line, header without the fields that programs change in place, empty line,
 *     octets of the body in decimal, SHA-256 of the body
 *
 * with LF for every line end. A last line without an end is given one, for a later delivery completes it. The empty
 * line is there if the message has one. A header that does not end within `maxHeaderOctets` counts as body.
 */
export function canonicalOf(envelope: Buffer, content: Buffer): Buffer {
  const { header, bodyStart } = canonicalHeader(content);
  const body = withLineFeeds(content.subarray(bodyStart));
  const line = withLineFeeds(envelope);
  const bodyOctets = String(body.length);
  const canonical = Buffer.allocUnsafe(
    start.length + line.length + header.length + bodyOctets.length + digestOctets,
  );
  canonical.set(start);
  canonical.set(line, start.length);
  const headerEnd = start.length + line.length + header.length;
  canonical.set(header, headerEnd - header.length);
  canonical.write(bodyOctets, headerEnd, 'latin1');
  canonical.write(hash('sha256', body, 'binary'), headerEnd + bodyOctets.length, 'latin1');
  return canonical;
}

const digestOctets = 32;

export const maxHeaderOctets = 1024 * 1024;

export const sha256 = (octets: Uint8Array): Buffer => hash('sha256', octets, 'buffer');

/** What the k-th of several equal messages is named by; the first one's is the canonical form's own digest. */
export const twinDigest = (canonical: Uint8Array, copy: number): Buffer =>
  copy === 1 ? sha256(canonical) : sha256(Buffer.concat([canonical, Buffer.from(`\0${copy}`)]));

/** The canonical form of a message that does not fit into memory: the same octets, made piece by piece. */
export class LargeMessage {
  readonly #head: readonly Uint8Array[];
  readonly #body: Hash = createHash('sha256');
  #bodyOctets = 0;
  #heldCarriageReturn = false;
  #lastOctet = lineFeed;

  /** `content` is the message's beginning, `maxHeaderOctets` of it at least. */
  constructor(envelope: Buffer, content: Buffer) {
    const { header, bodyStart } = canonicalHeader(content);
    // A copy: the header may be a view of a window that slides on.
    this.#head = [start, Buffer.from(withLineFeeds(envelope)), Buffer.from(header)];
    this.add(content.subarray(bodyStart));
  }

  add(content: Buffer): void {
    if (content.length === 0) return;
    if (this.#heldCarriageReturn && content[0] !== lineFeed) this.#update(carriageReturnOnly);
    this.#heldCarriageReturn = content.at(-1) === carriageReturn;
    this.#update(withoutCarriageReturns(this.#heldCarriageReturn ? content.subarray(0, -1) : content));
  }

  end(): Buffer {
    if (this.#heldCarriageReturn) this.#update(carriageReturnOnly);
    if (this.#lastOctet !== lineFeed) this.#update(lineFeedOnly);
    return Buffer.concat([...this.#head, Buffer.from(String(this.#bodyOctets)), this.#body.digest()]);
  }

  #update(octets: Buffer): void {
    this.#body.update(octets);
    this.#bodyOctets += octets.length;
    this.#lastOctet = octets.at(-1) ?? this.#lastOctet;
  }
}

const start = Buffer.from('popper1\0');
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const lineFeedOnly = Buffer.of(lineFeed);
const carriageReturnOnly = Buffer.of(carriageReturn);

/** Fields that mail programs and servers write into stored messages. */
const volatileFields = new Set([
  'status',
  'x-status',
  'x-keywords',
  'x-uid',
  'x-uidl',
  'x-imap',
  'x-imapbase',
  'content-length',
  'lines',
]);
const volatilePrefixes = ['x-mozilla-', 'x-evolution', 'x-popper-'];
const longestVolatileOctets = 80;

interface CanonicalHeader {
  /** With its empty line, if it has one. */
  readonly header: Buffer;
  readonly bodyStart: number;
}

function canonicalHeader(octets: Buffer): CanonicalHeader {
  const runs = new KeptRuns(octets);
  let at = 0;
  for (let isLast = false; !isLast && at < octets.length && at <= maxHeaderOctets; at = lineEnd(octets, at)) {
    isLast = isEmptyLine(octets, at);
    // A folded line goes where the one before it went.
    if (!isFolded(octets, at)) runs.field(at, isVolatile(octets, at));
  }
  return at > maxHeaderOctets
    ? { header: Buffer.of(), bodyStart: 0 }
    : { header: withLineFeeds(runs.end(at)), bodyStart: at };
}

/** Collects the fields that are kept; most headers are one run. */
class KeptRuns {
  readonly #octets: Buffer;
  readonly #runs: Buffer[] = [];
  #start: number | undefined = 0;

  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  field(at: number, isDropped: boolean): void {
    if (!isDropped) this.#start ??= at;
    else this.#finish(at);
  }

  end(at: number): Buffer {
    this.#finish(at);
    const [first] = this.#runs;
    return this.#runs.length === 1 && first !== undefined ? first : Buffer.concat(this.#runs);
  }

  #finish(at: number): void {
    if (this.#start !== undefined && at > this.#start)
      this.#runs.push(this.#octets.subarray(this.#start, at));
    this.#start = undefined;
  }
}

function lineEnd(octets: Buffer, at: number): number {
  const feed = octets.indexOf(lineFeed, at);
  return feed === -1 ? octets.length : feed + 1;
}

const isFolded = (octets: Buffer, at: number): boolean => octets[at] === 0x20 || octets[at] === 0x09;

function isEmptyLine(octets: Buffer, at: number): boolean {
  return octets[at] === lineFeed || (octets[at] === carriageReturn && octets[at + 1] === lineFeed);
}

function isVolatile(octets: Buffer, at: number): boolean {
  if (!mayBeVolatile(octets, at)) return false;
  const line = octets.toString('latin1', at, at + longestVolatileOctets);
  const colon = line.indexOf(':');
  if (colon === -1) return false;
  const name = line.slice(0, colon).toLowerCase();
  return volatileFields.has(name) || volatilePrefixes.some((prefix) => name.startsWith(prefix));
}

/** Most lines are known by a letter or two not to be one. */
function mayBeVolatile(octets: Buffer, at: number): boolean {
  switch (lowerCase(octets[at])) {
    case letter.x:
      return octets[at + 1] === letter.dash;
    case letter.s:
      return lowerCase(octets[at + 1]) === letter.t;
    case letter.c:
      return lowerCase(octets[at + 'content-'.length]) === letter.l;
    case letter.l:
      return lowerCase(octets[at + 1]) === letter.i;
    default:
      return false;
  }
}

const letter = { x: 0x78, s: 0x73, t: 0x74, c: 0x63, l: 0x6c, i: 0x69, dash: 0x2d } as const;
/** Of letters; what it makes of other octets is none. */
const lowerCase = (octet: number | undefined): number => (octet ?? 0) | 0x20;

/** LF for CRLF, and an LF at the end if there is anything. */
function withLineFeeds(octets: Buffer): Buffer {
  const plain = withoutCarriageReturns(octets);
  return plain.length === 0 || plain.at(-1) === lineFeed ? plain : Buffer.concat([plain, lineFeedOnly]);
}

function withoutCarriageReturns(source: Buffer): Buffer {
  // Most mail has none at all, and one octet is found faster than two.
  let at = source.includes(carriageReturn) ? source.indexOf('\r\n', 0, 'latin1') : -1;
  if (at === -1) return source;
  const target = Buffer.allocUnsafe(source.length);
  let from = 0;
  let octets = 0;
  for (; at !== -1; at = source.indexOf('\r\n', at + 2, 'latin1')) {
    octets += source.copy(target, octets, from, at);
    from = at + 1;
  }
  octets += source.copy(target, octets, from);
  return target.subarray(0, octets);
}
