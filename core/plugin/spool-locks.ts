import { Table } from './table.ts';

/** A lock beside a mailbox, held. */
export interface SpoolLock {
  /** Shows other programs that it is not left behind. */
  refresh(): Promise<void>;
  /** Lets go. Answers `taken` where another program broke it meanwhile; what is there now is then left alone. */
  release(): Promise<'released' | 'taken'>;
}

/**
 * What one attempt came to. `forbidden`: whoever tried may not make files there, and nobody else has the lock. `missing`:
 * there is no such mailbox, or no such folder.
 */
export type SpoolLockAttempt = SpoolLock | 'busy' | 'forbidden' | 'missing';

/**
 * How a store makes its locks in a spool, a folder of the operator's that users may not write to. With `isolation: 'user'`
 * all of this is called in the locker, a process that may, for the one process of a user that asks; and in that process, where
 * the locker may not either.
 */
export interface SpoolLockKind {
  /** Lower case, digits and dashes. */
  readonly name: string;
  /**
   * The folder of the operator's choice that this mailbox lies below, ending in `/`; undefined where the configuration lets no
   * mailbox have this path. The path is absolute and has no `.` or `..` in it.
   */
  rootOf(mailboxPath: string): string | undefined;
  /** Tries once to take the lock, and does not wait for it. Throws system errors; then none is held. */
  tryLock(mailboxPath: string): Promise<SpoolLockAttempt>;
  /** Takes over, without letting go of it, the lock of a process of this user that is dead. undefined where there is none. */
  resume(mailboxPath: string): Promise<SpoolLock | undefined>;
  /** Takes away the locks that dead processes of this user left. */
  clear(): Promise<void>;
}

/** Locks in a spool, as the store that has told how they are made takes them. */
export interface SpoolLocks {
  /** Tries once, by whoever may. Throws system errors, and a Failure (SYS/PERM) where this user may not lock this mailbox. */
  tryLock(mailboxPath: string): Promise<SpoolLockAttempt>;
}

/** Who takes locks for a process that may not. */
export interface SpoolLocker {
  tryLock(kind: string, mailboxPath: string): Promise<SpoolLockAttempt>;
}

/** The kinds of locks that stores make in spools. */
export class SpoolLockTable {
  readonly #kinds = new Table<SpoolLockKind>('kind of spool lock');
  #locker: SpoolLocker | undefined;

  add(kind: SpoolLockKind, owner: string): SpoolLocks {
    this.#kinds.add(kind.name, kind, owner);
    return { tryLock: (mailboxPath) => this.#tryLock(kind, mailboxPath) };
  }

  get(name: string): SpoolLockKind | undefined {
    return this.#kinds.get(name);
  }

  /** Whether any store makes such locks: else nobody needs a locker. */
  get isUsed(): boolean {
    return this.kinds.length > 0;
  }

  get kinds(): readonly SpoolLockKind[] {
    return [...this.#kinds.entries()].map(({ value }) => value);
  }

  /** From here on this one is asked first: it may do in a spool what this process may not. */
  takenBy(locker: SpoolLocker): void {
    this.#locker = locker;
  }

  freeze(): void {
    this.#kinds.freeze();
  }

  async #tryLock(kind: SpoolLockKind, mailboxPath: string): Promise<SpoolLockAttempt> {
    const attempt = (await this.#locker?.tryLock(kind.name, mailboxPath)) ?? 'forbidden';
    // A folder of the user's own, or one in which everybody makes locks for himself.
    return attempt === 'forbidden' ? kind.tryLock(mailboxPath) : attempt;
  }
}
