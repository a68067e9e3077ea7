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

/** A little that was added is scanned again, with the same uids, where this process does not remember it. */
export function isWorthSaving({ header, unsaved }: MailboxIndex): boolean {
  if (unsaved.kind !== 'added') return unsaved.kind === 'all';
  return header.scannedOctets - unsaved.former.scannedOctets > leftUnsavedOctets;
}

/** To scan this much costs about what it costs to write it down. */
const leftUnsavedOctets = 256 * 1024;

/** Indexes of mailboxes lately opened, for users who come again. The least lately used go first. */
export class IndexCache {
  readonly #maxOctets: number;
  readonly #indexes = new Map<string, MailboxIndex>();
  #octets = 0;

  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets;
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
