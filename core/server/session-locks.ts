import { hash } from 'node:crypto';
import { constants, fstatSync, open as openCallback } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { lockOctet, unlockOctet } from './lock.ts';

const open = promisify(openCallback);

/**
 * The locks that sessions hold on their maildrops, against sessions of this and all other processes. Each is an OFD lock on one octet,
 * whose place comes from the key, in one of a few files: a file for each maildrop would have to be made, opened and
 * closed, and in one for all the kernel would look through the locks of all sessions. A process that dies lets go.
 */
export class SessionLocks {
  readonly #folder: string;
  readonly #files = new Map<string, Promise<number>>();
  /** What this process holds: the kernel lets one who has a lock take it again. */
  readonly #held = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Tries once. Answers what lets go of it, or undefined if another session has it. Throws system errors. */
  async tryTake(key: string): Promise<(() => void) | undefined> {
    const { name, octet } = placeOf(key);
    const place = `${name} ${octet}`;
    const descriptor = await this.#fileOf(name);
    if (this.#held.has(place)) return undefined;
    if (!lockOctet(descriptor, octet)) return undefined;
    this.#held.add(place);
    return () => {
      unlockOctet(descriptor, octet);
      this.#held.delete(place);
    };
  }

  /** Where a key's lock lies, and whether any process has it at this moment. */
  async look(key: string): Promise<LockLook> {
    const release = await this.tryTake(key);
    release?.();
    const { name, octet } = placeOf(key);
    return { file: join(this.#folder, name), octet, isHeld: release === undefined };
  }

  async #fileOf(name: string): Promise<number> {
    const known = this.#files.get(name);
    const descriptor = known && (await known);
    // Where somebody removed it, those who come now meet in a new one; the old one stays open for the locks in it.
    if (descriptor !== undefined && fstatSync(descriptor).nlink > 0) return descriptor;
    const opening = this.#open(name);
    this.#files.set(name, opening);
    opening.catch(() => this.#files.delete(name));
    return opening;
  }

  async #open(name: string): Promise<number> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
    return open(join(this.#folder, name), O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  }
}

/** A lock as it was found. */
export interface LockLook {
  readonly file: string;
  readonly octet: number;
  readonly isHeld: boolean;
}

const fileCount = 64;

function placeOf(key: string): { readonly name: string; readonly octet: number } {
  const digest = hash('sha256', key, 'buffer');
  const name = String(digest.readUInt8(0) % fileCount).padStart(2, '0');
  return { name, octet: digest.readUIntBE(1, 6) };
}
