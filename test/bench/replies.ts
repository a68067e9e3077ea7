/** What is asked and what has to come back; any reply but +OK is an error. */
export interface Request {
  /** With its CRLF; empty for the greeting, which comes unasked. */
  readonly command: Buffer;
  /** The whole status line with its CRLF; undefined where any +OK will do. */
  readonly status: Buffer | undefined;
  /** What follows the status line: each octet of it, or who takes it where it is a listing; undefined for nothing. */
  readonly body: Buffer | TakeListing | undefined;
}

/** Gets the lines of a listing, each with its CRLF, without the lone dot. Throws where they are wrong. */
export type TakeListing = (octets: Buffer) => void;

const lineFeed = 0x0a;
const positive = Buffer.from('+OK');
const lineEnd = Buffer.from('\r\n');
const listingEnd = Buffer.from('\r\n.\r\n');
const nothing = Buffer.alloc(0);

/** The replies of one server, one after the other, out of the buffer that it is read into. */
export class Replies {
  readonly #buffer: Buffer;

  /** The last octet taken was the last of a reply. */
  isWhole = true;
  /** The status line of the present reply has been seen to its end. */
  #hasStatus = false;
  /** Octets of the body that have come and were right. */
  #octets = 0;
  /** What has come of a status line or a listing that is not whole; empty but for those that come in pieces. */
  #pieces = nothing;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  /** Takes its part of the octets and says where the next reply's part begins. Throws where they are wrong. */
  take({ status, body }: Request, from: number, end: number): number {
    if (this.isWhole) this.#begin();
    const next = this.#hasStatus ? from : this.#takeStatus(status, from, end);
    if (!this.#hasStatus) return next;
    if (body === undefined) this.isWhole = true;
    else if (typeof body === 'function') return this.#takeListing(body, next, end);
    else return this.#compare(body, next, end);
    return next;
  }

  #begin(): void {
    this.isWhole = false;
    this.#hasStatus = false;
    this.#octets = 0;
  }

  #takeStatus(status: Buffer | undefined, from: number, end: number): number {
    const found = this.#buffer.indexOf(lineFeed, from);
    if (found === -1 || found >= end) {
      this.#pieces = Buffer.concat([this.#pieces, this.#buffer.subarray(from, end)]);
      return end;
    }
    const next = found + 1;
    if (this.#pieces.length === 0) checkStatus(this.#buffer, { status, from, end: next });
    else {
      const line = Buffer.concat([this.#pieces, this.#buffer.subarray(from, next)]);
      this.#pieces = nothing;
      checkStatus(line, { status, from: 0, end: line.length });
    }
    this.#hasStatus = true;
    return next;
  }

  #compare(wire: Buffer, from: number, end: number): number {
    const octets = Math.min(end - from, wire.length - this.#octets);
    if (this.#buffer.compare(wire, this.#octets, this.#octets + octets, from, from + octets) !== 0)
      throw new Error(`wrong octets after ${this.#octets} that were right`);
    this.#octets += octets;
    this.isWhole = this.#octets === wire.length;
    return from + octets;
  }

  #takeListing(take: TakeListing, from: number, end: number): number {
    // The end of the status line goes before: the lone dot of an empty listing has its CRLF, too.
    const before = this.#pieces.length === 0 ? lineEnd : this.#pieces;
    const all = Buffer.concat([before, this.#buffer.subarray(from, end)]);
    const found = all.indexOf(listingEnd, Math.max(0, before.length - listingEnd.length));
    this.#pieces = found === -1 ? all : nothing;
    if (found === -1) return end;
    this.isWhole = true;
    take(all.subarray(lineEnd.length, found + lineEnd.length));
    return from + found + listingEnd.length - before.length;
  }
}

function checkStatus(
  octets: Buffer,
  { status, from, end }: { readonly status: Buffer | undefined; readonly from: number; readonly end: number },
): void {
  const isRight =
    status === undefined
      ? begins(octets, positive, from, end) && octets[end - 2] === 0x0d
      : begins(octets, status, from, end);
  if (isRight) return;
  const line = octets.toString('latin1', from, end);
  if (!line.endsWith('\r\n')) throw new Error(`a line that ends in a bare LF: ${line}`);
  const wanted = status === undefined ? '' : `, but the mailbox has ${status.toString('latin1')}`;
  throw new Error(`${line.trimEnd()}${wanted.trimEnd()}`);
}

function begins(octets: Buffer, head: Buffer, from: number, end: number): boolean {
  if (end - from < head.length) return false;
  for (let index = 0; index < head.length; index += 1) if (octets[from + index] !== head[index]) return false;
  return true;
}
