import { LineStartScanner } from 'popperd';

import { type Columns, ColumnsMaker } from './columns.ts';
import { lookaheadOctets, type MessageStart, messageStart } from './message-start.ts';

/** Reads octets of a file into the buffer; fewer than it holds where the file ends. */
export type ReadAt = (buffer: Uint8Array, position: number) => Promise<number>;

export interface ScanOptions {
  /** The file's octets; what lies behind is not looked at. */
  readonly octets: number;
  /** Messages that have been removed from the file's beginning. */
  readonly removed: number;
  readonly signal: AbortSignal;
  /** Octets read and scanned at once, 1 MiB by default: the event loop waits that long. */
  readonly sliceOctets?: number;
}

/** Finds the messages of an mbox. Memory grows with their number, not with the file. */
export const scanBoard = (read: ReadAt, options: ScanOptions): Promise<Columns> =>
  new Scan(read, options).run();

/** A message of which the end is not known yet. */
interface Open {
  readonly offset: number;
  readonly start: number;
  readonly bareLineFeeds: number;
  readonly number: number | undefined;
}

/** Where a message ends. */
interface End {
  readonly offset: number;
  readonly bareLineFeeds: number;
  readonly blankLineOctets: number;
}

class Scan {
  readonly #read: ReadAt;
  readonly #options: ScanOptions;
  readonly #maker: ColumnsMaker;
  readonly #scanner = new LineStartScanner('From ');
  #slice: Buffer = Buffer.alloc(0);
  #sliceAt = 0;
  #open: Open | undefined;

  constructor(read: ReadAt, options: ScanOptions) {
    this.#read = read;
    this.#options = options;
    this.#maker = new ColumnsMaker(options.removed);
  }

  async run(): Promise<Columns> {
    const { octets, signal, sliceOctets = defaultSliceOctets } = this.#options;
    const buffer = Buffer.allocUnsafe(Math.min(sliceOctets, octets));
    while (this.#scanner.offset < octets) {
      signal.throwIfAborted();
      this.#sliceAt = this.#scanner.offset;
      const wanted = buffer.subarray(0, Math.min(buffer.length, octets - this.#sliceAt));
      this.#slice = wanted.subarray(0, await this.#read(wanted, this.#sliceAt));
      if (this.#slice.length === 0) break;
      await this.#take();
    }
    await this.#finish();
    return this.#maker.end();
  }

  async #take(): Promise<void> {
    const lines = this.#scanner.scan(this.#slice);
    for (let index = 0; index < lines.count; index += 1) {
      const offset = lines.offsets[index] ?? 0;
      const blankLineOctets = lines.blankLineOctets[index] ?? 0;
      // A From_ line after text is text: popper's own store is not so strict, because there mail would be lost.
      if (offset > 0 && blankLineOctets === 0) continue;
      const start = messageStart(await this.#lookahead(offset), offset === 0);
      const bareLineFeeds = lines.bareLineFeeds[index] ?? 0;
      if (start !== undefined) this.#begin(start, { offset, bareLineFeeds, blankLineOctets });
    }
  }

  /** Most lines lie in the slice; one at its border is read by itself. */
  async #lookahead(offset: number): Promise<Uint8Array> {
    const end = Math.min(offset + lookaheadOctets, this.#options.octets);
    const sliceEnd = this.#sliceAt + this.#slice.length;
    if (offset >= this.#sliceAt && end <= sliceEnd)
      return this.#slice.subarray(offset - this.#sliceAt, end - this.#sliceAt);
    const octets = Buffer.alloc(end - offset);
    return octets.subarray(0, await this.#read(octets, offset));
  }

  #begin({ envelopeOctets, endsBare, number }: MessageStart, line: End): void {
    this.#close(line, true);
    const start = line.offset + envelopeOctets;
    this.#open = {
      offset: line.offset,
      start,
      bareLineFeeds: line.bareLineFeeds + (endsBare ? 1 : 0),
      number,
    };
  }

  #close(end: End, endsLine: boolean): void {
    const open = this.#open;
    if (open === undefined) return;
    const { offset, start, number } = open;
    const blankOctets = end.offset - end.blankLineOctets >= start ? end.blankLineOctets : 0;
    const contentEnd = end.offset - blankOctets;
    const bareLineFeeds = end.bareLineFeeds - open.bareLineFeeds - (blankOctets === 1 ? 1 : 0);
    const missingOctets = endsLine || contentEnd === start ? 0 : 2;
    const octets = contentEnd - start + bareLineFeeds + missingOctets;
    this.#maker.add({ offset, start, end: contentEnd, octets, number });
  }

  async #finish(): Promise<void> {
    const { offset, bareLineFeeds } = this.#scanner;
    const last = Buffer.alloc(Math.min(3, offset));
    await this.#read(last, offset - last.length);
    const text = last.toString('latin1');
    const blankLineOctets = text.endsWith('\n\r\n') ? 2 : text.endsWith('\n\n') ? 1 : 0;
    this.#close({ offset, bareLineFeeds, blankLineOctets }, text.endsWith('\n'));
  }
}

const defaultSliceOctets = 1024 * 1024;
