import type { FileStat } from './commit/index.ts';
import type { IndexHeader } from './index-header.ts';
import type { Rows } from './rows.ts';

/** What is known of a mailbox. */
export interface MailboxIndex {
  readonly header: IndexHeader;
  /** undefined if they have not been read yet. */
  readonly rows: Rows | undefined;
  readonly unsaved: Unsaved;
  /** The index on disk when it was read, and was what this came from. While it is the same nothing there is newer. */
  readonly onDisk?: FileStat | undefined;
}

/** How much of the index on disk is out of date. */
export type Unsaved =
  | { readonly kind: 'nothing' }
  /** Rows were added to what is on disk under the header `former`. */
  | { readonly kind: 'added'; readonly former: IndexHeader }
  | { readonly kind: 'all' };

/**
 * A little that was added is scanned again, with the same uids, where no process remembers it. So is a small mailbox, where
 * there is but one process, and that remembers it for as long as it runs.
 */
export function isWorthSaving({ header, rows, unsaved }: MailboxIndex, isRemembered: boolean): boolean {
  if (unsaved.kind === 'nothing') return false;
  if (unsaved.kind === 'added')
    return header.scannedOctets - unsaved.former.scannedOctets > leftUnsavedOctets;
  // Without an index, equal messages would have other uids when one of them is gone.
  return !isRemembered || header.scannedOctets > smallMailboxOctets || rows === undefined || rows.hasTwins;
}

/** To scan this much costs about what it costs to write it down. */
const leftUnsavedOctets = 256 * 1024;
/** To scan this much takes a millisecond, once after each start of the daemon. */
const smallMailboxOctets = 1024 * 1024;

/** Indexes of mailboxes lately opened, for users who come again. The least lately used go first. */
export class IndexCache {
  readonly #maxOctets: number;
  readonly #keepsIndexes: boolean;
  readonly #indexes = new Map<string, MailboxIndex>();
  #octets = 0;

  /** `keepsIndexes`: whether those of small mailboxes may be here alone. */
  constructor(maxOctets: number, keepsIndexes = false) {
    this.#maxOctets = maxOctets;
    this.#keepsIndexes = keepsIndexes;
  }

  /** Whether it is here, can be expected to be here until the process ends, and may be here alone. */
  remembers(path: string): boolean {
    return this.#keepsIndexes && this.#octets * 2 < this.#maxOctets && this.has(path);
  }

  has(path: string): boolean {
    return this.#indexes.has(path);
  }

  get(path: string): MailboxIndex | undefined {
    const index = this.#indexes.get(path);
    if (index === undefined) return undefined;
    this.#indexes.delete(path);
    this.#indexes.set(path, index);
    return index;
  }

  set(path: string, index: MailboxIndex): void {
    this.delete(path);
    this.#indexes.set(path, index);
    this.#octets += octetsOf(index);
    for (const oldest of this.#indexes.keys()) {
      if (this.#octets <= this.#maxOctets) break;
      this.delete(oldest);
    }
  }

  delete(path: string): void {
    const index = this.#indexes.get(path);
    if (index === undefined) return;
    this.#indexes.delete(path);
    this.#octets -= octetsOf(index);
  }
}

/** A header with its path and place in the table, near enough. */
const headerMemoryOctets = 1024;

const octetsOf = ({ rows }: MailboxIndex): number =>
  headerMemoryOctets + (rows?.octets.buffer.byteLength ?? 0);
