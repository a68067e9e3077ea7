import type { Identity } from '../auth/login.ts';
import type { Maildrop } from '../maildrop/maildrop.ts';
import type { PluginState } from '../plugin/state.ts';
import { Failure } from '../protocol/failure.ts';
import { MemoryMaildrop } from './memory-maildrop.ts';

interface Letter {
  readonly uid: string;
  readonly text: Uint8Array;
}

/** Maildrops in memory that outlive a session: mail is delivered, one session at a time has it, QUIT removes it. */
export class MemoryStore {
  readonly #state: PluginState;
  readonly #letters = new Map<string, readonly Letter[]>();
  #delivered = 0;

  /** The state whose lock keeps a second session out. */
  constructor(state: PluginState) {
    this.#state = state;
  }

  deliver(user: string, messages: readonly Uint8Array[]): void {
    const letters = messages.map((text) => ({ uid: `letter-${(this.#delivered += 1)}`, text }));
    this.#letters.set(user, [...this.#lettersOf(user), ...letters]);
  }

  /** What lies there now, in the order of delivery. */
  stored(user: string): readonly Uint8Array[] {
    return this.#lettersOf(user).map(({ text }) => text);
  }

  /** Takes a message away as another program would, sessions or not. */
  removeBehind(user: string, index: number): void {
    this.#letters.set(user, this.#lettersOf(user).toSpliced(index, 1));
  }

  /** Throws a Failure with the code IN-USE while another session has it. */
  async open(identity: Identity): Promise<Maildrop> {
    const { user } = identity;
    const claim = await this.#state.claim(identity, `memory:${user}`);
    const opened = this.#lettersOf(user);
    const lies = (letter: Letter | undefined): boolean =>
      letter !== undefined && this.#lettersOf(user).includes(letter);
    const remove = (indexes: ReadonlySet<number>): void => {
      const gone = new Set([...indexes].map((index) => opened[index]));
      this.#letters.set(
        user,
        this.#lettersOf(user).filter((letter) => !gone.has(letter)),
      );
    };
    return new OpenedMaildrop(opened, {
      lies: (index) => lies(opened[index]),
      remove,
      close: () => claim.release(),
    });
  }

  #lettersOf(user: string): readonly Letter[] {
    return this.#letters.get(user) ?? [];
  }
}

interface Behind {
  readonly lies: (index: number) => boolean;
  readonly remove: (indexes: ReadonlySet<number>) => void;
  readonly close: () => Promise<void>;
}

class OpenedMaildrop extends MemoryMaildrop {
  readonly #behind: Behind;

  constructor(letters: readonly Letter[], behind: Behind) {
    super(letters);
    this.#behind = behind;
  }

  override async *read(index: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    if (!this.#behind.lies(index)) throw new Failure('the message is gone', { code: 'SYS/TEMP' });
    signal?.throwIfAborted();
    yield* super.read(index, signal);
  }

  override async commit(deleted: ReadonlySet<number>): Promise<void> {
    this.#behind.remove(deleted);
  }

  override async close(): Promise<void> {
    await this.#behind.close();
  }
}
