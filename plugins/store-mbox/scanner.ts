import { LineStartScanner } from 'popperd';

import { canonicalOf, LargeMessage, maxHeaderOctets } from './canonical.ts';
import { isMessageEnd } from './content-length.ts';
import { type Context, isEnvelope, lookaheadOctets, maxEnvelopeOctets } from './envelope.ts';
import { FileWindow, type ReadableFile, type ReadOctets } from './file-window.ts';
import { declaredContent, isFolderInternalData } from './header-fields.ts';
import type { Extent } from './rows.ts';

// Over 250 lines: it is one pass over the octets, and its parts share where they are in it.

/** A message found. */
export interface FoundMessage extends Extent {
  /** Octets as RETR sends them. */
  readonly octets: number;
  /** See canonical.ts. */
  readonly canonical: Uint8Array;
  /** The first message of the mailbox, and no mail. */
  readonly isFolderInternalData: boolean;
}

export interface ScanRequest {
  readonly file: ReadableFile;
  /** Where to begin, at the start of a line. */
  readonly from: number;
  /** Where to end; what lies behind is not looked at. */
  readonly to: number;
  /** Whether the first line may be a message's whatever it says. */
  readonly startsMailbox: boolean;
  /** The last octets before `from`, 7 are enough; nothing at the start of the file. */
  readonly before?: Uint8Array;
  /** Believe `Content-Length:`. */
  readonly contentLength: boolean;
  /** Octets read and scanned at once, 1 MiB by default: the event loop waits that long. */
  readonly sliceOctets?: number;
  /** Gets what is in memory when the scan is through: all that was scanned, where that is little. */
  readonly keep?: (read: ReadOctets) => void;
}

export interface ScanResult {
  /** Octets before the first message, line ends and NULs not counted: they are no message's. */
  readonly strayOctets: number;
  /** Where the scan ended; less than asked for if the file is shorter. */
  readonly end: number;
}

/** Finds the messages from `from` to `to`, in order. Memory does not grow with the mailbox or its messages. */
export function scanMailbox(
  request: ScanRequest,
  onMessage: (message: FoundMessage) => void,
): Promise<ScanResult> {
  return new Scan(request, onMessage).run();
}

const defaultSliceOctets = 1024 * 1024;
/** Of what need not be kept, this much is: lines not yet judged, and a last line that may turn out a separator. */
const heldOctets = 2 * lookaheadOctets;

/** A line that may begin a message, or the end of the scan. */
interface Candidate {
  readonly offset: number;
  /** Bare line feeds before it, counted from the start of the scan. */
  readonly bareLineFeeds: number;
  /** Octets of the empty line before it, 0 if there is none. */
  readonly emptyLineOctets: number;
}

interface OpenMessage {
  readonly offset: number;
  readonly envelopeOctets: number;
  readonly contentStart: number;
  /** Bare line feeds before the content. */
  readonly bareLineFeeds: number;
  /** Set when it no longer fits into the window. */
  large: LargeMessage | undefined;
  /** What of a large message has been digested. */
  digestedTo: number;
  /** Where its `Content-Length:` says it ends: 0 if it says nothing believable, undefined while not looked for. */
  declaredEnd: number | undefined;
}

class Scan {
  readonly #request: ScanRequest;
  readonly #onMessage: (message: FoundMessage) => void;
  readonly #window: FileWindow;
  #candidates: Candidate[] = [];
  #message: OpenMessage | undefined;
  #firstOffset: number | undefined;
  /** The first octet that is no NUL. */
  #start: number;
  #strayCountedTo: number;
  #strayOctets = 0;

  constructor(request: ScanRequest, onMessage: (message: FoundMessage) => void) {
    this.#request = request;
    this.#onMessage = onMessage;
    this.#start = request.from;
    this.#strayCountedTo = request.from;
    this.#window = new FileWindow(request.file, request, {
      keptOctets: maxHeaderOctets + maxEnvelopeOctets + heldOctets,
      sliceOctets: request.sliceOctets ?? defaultSliceOctets,
    });
  }

  async run(): Promise<ScanResult> {
    let keep: ScanRequest['keep'];
    try {
      const result = await this.#runThrough();
      ({ keep } = this.#request);
      return result;
    } finally {
      const read = this.#window.handOver();
      if (keep === undefined) read.room.giveBack();
      else keep(read);
    }
  }

  async #runThrough(): Promise<ScanResult> {
    const window = this.#window;
    let slice = await this.#firstSlice();
    const scanner = this.#newScanner();
    do {
      this.#collect(scanner, slice);
      await this.#judge(window.isComplete);
      // The last slice stays where it is: whoever reads messages next may find them there.
      slice = window.isComplete ? nothing : await window.slide(await this.#release());
    } while (slice.length > 0);
    await this.#judge(true);
    this.#finish(scanner.bareLineFeeds);
    return { strayOctets: this.#strayOctets, end: window.end };
  }

  /** A crash of the system can leave NULs where a file was being written; they hide no message. */
  async #firstSlice(): Promise<Buffer> {
    const window = this.#window;
    let slice = await window.slide(window.start);
    if (!this.#request.startsMailbox) return slice;
    let nulCount = nulsAtStart(slice);
    while (slice.length > 0 && nulCount === slice.length) {
      slice = await window.slide(window.end);
      nulCount = nulsAtStart(slice);
    }
    this.#start = window.end - slice.length + nulCount;
    this.#strayCountedTo = this.#start;
    return slice.subarray(nulCount);
  }

  #newScanner(): LineStartScanner {
    const { from, before } = this.#request;
    const known = this.#start === from && before !== undefined;
    return new LineStartScanner('From ', { offset: this.#start, ...(known && { before }) });
  }

  #collect(scanner: LineStartScanner, slice: Buffer): void {
    const lines = scanner.scan(slice);
    for (let index = 0; index < lines.count; index += 1) {
      this.#candidates.push({
        offset: lines.offsets[index] ?? 0,
        bareLineFeeds: lines.bareLineFeeds[index] ?? 0,
        emptyLineOctets: lines.blankLineOctets[index] ?? 0,
      });
    }
  }

  /** Judges the lines of which enough is in sight. */
  async #judge(complete: boolean): Promise<void> {
    let judgedCount = 0;
    for (const candidate of this.#candidates) {
      if (!complete && candidate.offset + lookaheadOctets > this.#window.end) break;
      judgedCount += 1;
      const envelopeOctets = this.#envelopeOctetsOf(candidate);
      if (envelopeOctets === undefined) continue;
      if (this.#request.contentLength && (await this.#isCounted(candidate))) continue;
      this.#open(candidate, envelopeOctets);
    }
    this.#candidates.splice(0, judgedCount);
  }

  #envelopeOctetsOf(candidate: Candidate): number | undefined {
    const ahead = this.#window.view(
      candidate.offset,
      Math.min(this.#window.end, candidate.offset + lookaheadOctets),
    );
    const feed = ahead.indexOf(lineFeed);
    const octets = feed === -1 ? ahead.length : feed + 1;
    if (octets > maxEnvelopeOctets) return undefined;
    const line = ahead.toString('latin1', 0, octets).trimEnd();
    const next = ahead.toString('latin1', octets, octets + 100);
    return isEnvelope(line, this.#contextOf(candidate), next) ? octets : undefined;
  }

  #contextOf({ offset, emptyLineOctets }: Candidate): Context {
    if (this.#request.startsMailbox && offset === this.#start) return 'start of file';
    return emptyLineOctets > 0 || offset === 0 ? 'blank line' : 'text';
  }

  /** Whether `Content-Length:` counts this line among the open message's, and can be believed. */
  async #isCounted(candidate: Candidate): Promise<boolean> {
    const message = this.#message;
    if (message === undefined) return false;
    message.declaredEnd ??= await this.#declaredEndOf(message);
    return candidate.offset < message.declaredEnd;
  }

  async #declaredEndOf({ contentStart }: OpenMessage): Promise<number> {
    const { file, to } = this.#request;
    const declared = declaredContent(this.#window.view(contentStart, this.#window.end));
    if (declared === undefined) return 0;
    const end = contentStart + declared.headerOctets + declared.bodyOctets;
    return (await isMessageEnd(file, end, to)) ? end : 0;
  }

  #open(candidate: Candidate, envelopeOctets: number): void {
    if (this.#message === undefined) this.#countStray(candidate.offset);
    else this.#close(this.#message, candidate, true);
    const contentStart = candidate.offset + envelopeOctets;
    const [last, beforeLast] = [this.#octetAt(contentStart - 1), this.#octetAt(contentStart - 2)];
    const isBare = last === lineFeed && beforeLast !== carriageReturn;
    this.#firstOffset ??= candidate.offset;
    this.#message = {
      offset: candidate.offset,
      envelopeOctets,
      contentStart,
      bareLineFeeds: candidate.bareLineFeeds + (isBare ? 1 : 0),
      large: undefined,
      digestedTo: contentStart,
      declaredEnd: undefined,
    };
  }

  /** The message ends where `end` lies; `endsLine` says whether its last line is complete. */
  #close(message: OpenMessage, end: Candidate, endsLine: boolean): void {
    const { offset, envelopeOctets, contentStart } = message;
    const separatorOctets = end.offset - end.emptyLineOctets >= contentStart ? end.emptyLineOctets : 0;
    const contentOctets = end.offset - separatorOctets - contentStart;
    const bareLineFeeds = end.bareLineFeeds - message.bareLineFeeds - (separatorOctets === 1 ? 1 : 0);
    const missingOctets = endsLine || contentOctets === 0 ? 0 : 2;
    this.#onMessage({
      offset,
      envelopeOctets,
      contentOctets,
      separatorOctets,
      octets: contentOctets + bareLineFeeds + missingOctets,
      canonical: this.#canonicalOf(message, contentStart + contentOctets),
      isFolderInternalData: this.#isInternal(message, contentStart + contentOctets),
    });
  }

  #canonicalOf({ large, offset, contentStart, digestedTo }: OpenMessage, contentEnd: number): Buffer {
    if (large === undefined) {
      return canonicalOf(
        this.#window.view(offset, contentStart),
        this.#window.view(contentStart, contentEnd),
      );
    }
    large.add(this.#window.view(digestedTo, contentEnd));
    return large.end();
  }

  #isInternal({ large, offset, contentStart }: OpenMessage, contentEnd: number): boolean {
    const isFirst = this.#request.startsMailbox && offset === this.#firstOffset;
    return (
      isFirst && large === undefined && isFolderInternalData(this.#window.view(contentStart, contentEnd))
    );
  }

  /** Digests what may be, and answers from where on the window must be kept. */
  async #release(): Promise<number> {
    const message = this.#message;
    const held = Math.max(this.#window.start, this.#window.end - heldOctets);
    if (message === undefined) {
      this.#countStray(held);
      return held;
    }
    if (message.large === undefined && this.#window.canKeepFrom(message.offset)) return message.offset;
    await this.#digestTo(message, held);
    return held;
  }

  async #digestTo(message: OpenMessage, position: number): Promise<void> {
    if (message.large !== undefined) {
      message.large.add(this.#window.view(message.digestedTo, position));
    } else {
      const { offset, contentStart } = message;
      if (this.#request.contentLength) message.declaredEnd ??= await this.#declaredEndOf(message);
      message.large = new LargeMessage(
        this.#window.view(offset, contentStart),
        this.#window.view(contentStart, position),
      );
    }
    message.digestedTo = position;
  }

  #finish(bareLineFeeds: number): void {
    const end = this.#window.end;
    if (this.#message === undefined) return this.#countStray(end);
    const emptyLineOctets = this.#emptyLineOctetsBefore(end);
    const endsLine = this.#octetAt(end - 1) === lineFeed;
    this.#close(this.#message, { offset: end, bareLineFeeds, emptyLineOctets }, endsLine);
  }

  #emptyLineOctetsBefore(position: number): number {
    if (this.#octetAt(position - 1) !== lineFeed) return 0;
    if (this.#octetAt(position - 2) === lineFeed) return 1;
    const isCrLf = this.#octetAt(position - 2) === carriageReturn;
    return isCrLf && this.#octetAt(position - 3) === lineFeed ? 2 : 0;
  }

  #octetAt(position: number): number | undefined {
    return position < this.#window.start ? undefined : this.#window.view(position, position + 1)[0];
  }

  #countStray(to: number): void {
    for (const octet of this.#window.view(this.#strayCountedTo, to)) {
      if (octet !== 0 && octet !== lineFeed && octet !== carriageReturn) this.#strayOctets += 1;
    }
    this.#strayCountedTo = to;
  }
}

function nulsAtStart(slice: Buffer): number {
  const count = slice.findIndex((octet) => octet !== 0);
  return count === -1 ? slice.length : count;
}

const nothing = Buffer.alloc(0);
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
