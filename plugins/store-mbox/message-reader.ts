import { Failure } from 'popperd';

import { isStale, type OpenFile } from './commit/index.ts';
import { type IndexHeader, isSameMailbox, type MailboxStamp } from './index-header.ts';
import type { Extent } from './rows.ts';
import { stampOf } from './survey.ts';
import type { Window, WindowPool } from './window-pool.ts';

/** A part of the mailbox that is in memory already. */
export interface ReadAhead {
  readonly window: Window;
  readonly start: number;
  readonly filledOctets: number;
}

/**
 * Reads messages from an mbox for one session. Clients fetch in order and messages lie side by side, so it reads ahead
 * and serves many messages from one read.
 */
export class MessageReader {
  readonly #file: OpenFile;
  readonly #windows: WindowPool;
  #stamp: MailboxStamp;
  #window: Window | undefined;
  #start = 0;
  #filledOctets = 0;
  /** When the file was last seen to be what the index was made from, with the window's content in it. */
  #seenAtMs = Number.NEGATIVE_INFINITY;
  #forget: NodeJS.Timeout | undefined;
  /** Whoever gets the window next would write to it: that is not while it is being filled or looked at. */
  #isInUse = false;
  #isClosed = false;
  #isFilling = false;
  #isStale = false;

  /** The file is closed by `close`. What was read ahead is only used while the file has the header's stamp. */
  constructor(file: OpenFile, header: IndexHeader, windows: WindowPool, ahead?: ReadAhead) {
    this.#file = file;
    this.#stamp = header.stamp;
    this.#windows = windows;
    if (ahead === undefined) return;
    this.#window = ahead.window;
    this.#start = ahead.start;
    this.#filledOctets = ahead.filledOctets;
    this.#forgetSoon();
  }

  /** Whether the file is not to be had any more by this reader: on NFS, another host has put another in its place. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** The mailbox has been looked through again, and is now known as this. */
  renew(header: IndexHeader): void {
    this.#stamp = header.stamp;
    this.#filledOctets = 0;
  }

  /**
   * Whether the message's beginning is in memory, and has lately been seen to be what the index says. Then `begin` may follow
   * without `find`.
   */
  has({ offset, envelopeOctets }: Extent): boolean {
    return performance.now() - this.#seenAtMs < freshMs && this.#isFromLineAt(offset, envelopeOctets);
  }

  /**
   * Brings the message's beginning in. Answers false if the file is no longer what the index was made from, or there is
   * no From_ line: then the message may be elsewhere.
   */
  async find({ offset, envelopeOctets }: Extent): Promise<boolean> {
    this.#isInUse = true;
    const seenOctets = Math.min(envelopeOctets, fromLine.length);
    const isThere = this.#holds(offset, seenOctets) && (await this.#isUnchanged());
    if (!isThere && !(await this.#fill(offset))) return false;
    return this.#isFromLineAt(offset, envelopeOctets);
  }

  /** A message is being read: what was read ahead stays until `end`, for a client may take long for it. */
  begin(): void {
    this.#isInUse = true;
  }

  /** The octets in memory from `position` on, up to `end`; none if there are none. Valid until `bringIn` or `end` is called. */
  view(position: number, end: number): Buffer {
    const window = this.#window;
    const windowEnd = this.#start + this.#filledOctets;
    if (window === undefined || position < this.#start || position >= windowEnd) return nothing;
    return window.octets.subarray(position - this.#start, Math.min(end, windowEnd) - this.#start);
  }

  /** Reads on from `position`; answers false if the file is no longer what the index was made from. */
  bringIn(position: number): Promise<boolean> {
    return this.#fill(position);
  }

  end(): void {
    this.#isInUse = false;
    this.#forgetSoon();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#forget);
    this.#dropWindow();
    await this.#file.close();
  }

  #holds(position: number, octets: number): boolean {
    return position >= this.#start && position + octets <= this.#start + this.#filledOctets;
  }

  /** Whether the file still is what the index was made from. For a moment after a look nothing else is expected. */
  async #isUnchanged(): Promise<boolean> {
    if (performance.now() - this.#seenAtMs < freshMs) return true;
    const stat = await this.#unlessStale(this.#file.stat());
    if (stat === undefined || !isSameMailbox(this.#stamp, stampOf(stat, this.#stamp.bootId))) return false;
    this.#seenAtMs = performance.now();
    return true;
  }

  /** Reads from `position` on; answers whether the file is still what the index was made from. */
  async #fill(position: number): Promise<boolean> {
    const { octets: window } = this.#windowFor(position);
    this.#filledOctets = 0;
    this.#seenAtMs = Number.NEGATIVE_INFINITY;
    this.#isFilling = true;
    const octets = Math.max(0, Math.min(window.length, this.#stamp.octets - position));
    const reading = this.#file.read(window.subarray(0, octets), position).finally(() => {
      this.#isFilling = false;
    });
    const filledOctets = await this.#unlessStale(reading);
    if (filledOctets === undefined || !(await this.#isUnchanged())) return false;
    this.#start = position;
    this.#filledOctets = filledOctets;
    return true;
  }

  async #unlessStale<T>(call: Promise<T>): Promise<T | undefined> {
    try {
      return await call;
    } catch (error) {
      if (!isStale(error)) throw error;
      this.#isStale = true;
      return undefined;
    }
  }

  /** Whoever goes on near where the last window ended reads a lot. */
  #windowFor(position: number): Window {
    const { smallOctets } = this.#windows;
    const former = this.#window;
    if (former !== undefined && former.octets.length > smallOctets) return former;
    const large = this.#goesOnAt(position) ? this.#windows.takeLarge() : undefined;
    // One that a little new mail was found in is smaller than any other.
    if (large === undefined && former?.octets.length === smallOctets) return former;
    former?.giveBack();
    this.#window = large ?? this.#windows.takeSmall();
    return this.#window;
  }

  #goesOnAt(position: number): boolean {
    const end = this.#start + this.#filledOctets;
    return this.#filledOctets > 0 && position >= this.#start && position <= end + nearOctets;
  }

  #isFromLineAt(offset: number, envelopeOctets: number): boolean {
    const seenOctets = Math.min(envelopeOctets, fromLine.length);
    if (!this.#holds(offset, seenOctets)) return false;
    const at = offset - this.#start;
    for (let index = 0; index < seenOctets; index += 1) {
      if (this.#window?.octets[at + index] !== fromLine[index]) return false;
    }
    return true;
  }

  /** A session that only waits does not need the memory. */
  #forgetSoon(): void {
    if (this.#isClosed) return;
    if (this.#forget !== undefined) this.#forget.refresh();
    else this.#forget = setTimeout(() => this.#forgetUnused(), idleMs).unref();
  }

  #forgetUnused(): void {
    if (!this.#isInUse) this.#dropWindow();
  }

  #dropWindow(): void {
    const window = this.#window;
    this.#window = undefined;
    this.#filledOctets = 0;
    // One that a read still writes to is left to the garbage collector.
    if (this.#isFilling) window?.giveUp();
    else window?.giveBack();
  }
}

export const messageChanged = (what: string): Failure =>
  new Failure('message changed, log in again', { code: 'SYS/TEMP', cause: new Error(what) });

const fromLine = Buffer.from('From ');
const nothing = Buffer.alloc(0);
/** What was read ahead is served this long before the file is looked at again. */
const freshMs = 1000;
const idleMs = 2000;
/** Beginnings of messages that lie no further apart are read in one go. */
const nearOctets = 64 * 1024;
