import type { Files } from './commit/index.ts';
import { type DotlockAttempt, type Dotlock, resumeDotlock, tryDotlock } from './dotlock.ts';
import { clearLeftLocks, lockNote } from './lock-note.ts';

export interface OwnHandOptions {
  readonly files: Files;
  readonly staleDotlockMs: number;
  /** This process's own folder for notes; made when first asked for. */
  readonly noteFolder: () => Promise<string>;
}

/** Dotlocks that this process makes itself, noted so that they go at its next start if it dies. */
export class OwnHand {
  readonly #options: OwnHandOptions;

  constructor(options: OwnHandOptions) {
    this.#options = options;
  }

  /** Tries once. Throws system errors; then none is held. */
  async tryLock(mailboxPath: string): Promise<DotlockAttempt> {
    const { files, staleDotlockMs } = this.#options;
    return this.#noted(mailboxPath, () => tryDotlock(files, mailboxPath, staleDotlockMs));
  }

  /** Takes over what a dead process of this user and host had. */
  async resume(mailboxPath: string): Promise<Dotlock | undefined> {
    const resumed = await this.#noted(
      mailboxPath,
      async () => (await resumeDotlock(this.#options.files, mailboxPath)) ?? 'missing',
    );
    return typeof resumed === 'string' ? undefined : resumed;
  }

  /** Takes away what dead processes of this user left. */
  async clear(): Promise<void> {
    await clearLeftLocks(this.#options.files, await this.#options.noteFolder());
  }

  async #noted(mailboxPath: string, attempt: () => Promise<DotlockAttempt>): Promise<DotlockAttempt> {
    const note = lockNote(this.#options.files, await this.#options.noteFolder(), mailboxPath);
    await note.write();
    let got: DotlockAttempt = 'busy';
    try {
      got = await attempt();
    } finally {
      if (typeof got === 'string') note.remove();
    }
    if (typeof got === 'string') return got;
    const lock = got;
    return {
      refresh: () => lock.refresh(),
      async release() {
        // Where that fails the note stays, for the next start.
        const how = await lock.release();
        note.remove();
        return how;
      },
    };
  }
}
