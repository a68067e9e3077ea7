import {
  chownSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writevSync,
} from 'node:fs';
import { join } from 'node:path';

import type { Message } from './mail.ts';

/** Whose the mail is: the uid and gid that a server runs the session with. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Where one user's mail lies. */
export interface Place {
  create(): void;
  add(messages: readonly Message[]): void;
  /**
   * Gives back the room. The files stay: ext4 looks past each one that was deleted in the last minute when it makes
   * another, which would be paid for by the server that is measured next.
   */
  clear(): void;
}

export type Format = 'mbox' | 'Maildir';

export const placeOf = (format: Format, spool: string, user: string, owner: Owner): Place =>
  format === 'mbox' ? new MboxPlace(join(spool, user), owner) : new MaildirPlace(join(spool, user), owner);

/** writev(2) takes no more at a time: IOV_MAX. */
const mostPieces = 1024;

class MboxPlace implements Place {
  readonly #path: string;
  readonly #owner: Owner;

  constructor(path: string, owner: Owner) {
    this.#path = path;
    this.#owner = owner;
  }

  /** A new file: where all may make files, Debian's kernels let nobody make do with another's, though he be root (fs.protected_regular). */
  create(): void {
    rmSync(this.#path, { force: true });
    writeFileSync(this.#path, '', { mode: 0o600 });
    chownSync(this.#path, this.#owner.uid, this.#owner.gid);
  }

  add(messages: readonly Message[]): void {
    const descriptor = openSync(this.#path, constants.O_WRONLY | constants.O_APPEND);
    try {
      for (let from = 0; from < messages.length; from += mostPieces) {
        const pieces = messages.slice(from, from + mostPieces).map(({ stored }) => stored);
        const octets = pieces.reduce((sum, { length }) => sum + length, 0);
        const written = writevSync(descriptor, pieces);
        if (written !== octets)
          throw new Error(`${this.#path}: the disk took ${written} of ${octets} octets`);
      }
    } finally {
      closeSync(descriptor);
    }
  }

  clear(): void {
    truncateSync(this.#path);
  }
}

/** A file for each message: written in tmp, then moved to new, as every Maildir's deliveries are. */
class MaildirPlace implements Place {
  readonly #path: string;
  readonly #owner: Owner;
  #delivered = 0;

  constructor(path: string, owner: Owner) {
    this.#path = path;
    this.#owner = owner;
  }

  create(): void {
    for (const folder of ['', 'tmp', 'new', 'cur']) {
      mkdirSync(join(this.#path, folder), { mode: 0o700 });
      chownSync(join(this.#path, folder), this.#owner.uid, this.#owner.gid);
    }
  }

  add(messages: readonly Message[]): void {
    for (const { text } of messages) {
      this.#delivered += 1;
      // A second for each, since servers number the messages in the order of their names.
      const name = `${1_700_000_000 + this.#delivered}.M0P1Q${this.#delivered}.bench`;
      const file = join(this.#path, 'tmp', name);
      writeFileSync(file, text, { mode: 0o600 });
      chownSync(file, this.#owner.uid, this.#owner.gid);
      renameSync(file, join(this.#path, 'new', name));
    }
  }

  clear(): void {
    for (const folder of ['new', 'cur'])
      for (const name of readdirSync(join(this.#path, folder))) truncateSync(join(this.#path, folder, name));
  }
}
