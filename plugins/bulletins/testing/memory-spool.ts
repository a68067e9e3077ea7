import type { Identity, Maildrop, NewMessage } from 'popperd';
import { MemoryMaildrop } from 'popperd/testing';

interface Letter {
  readonly uid: string;
  readonly text: Uint8Array;
}

/** Users' mail in memory. It can append, unless it is one that cannot. */
export class MemorySpool {
  readonly #mail = new Map<string, readonly Letter[]>();
  readonly #canAppend: boolean;
  #serial = 0;
  /** Thrown by the next append, before it changes anything. */
  fault: Error | undefined;

  constructor(canAppend: boolean) {
    this.#canAppend = canAppend;
  }

  deliver(user: string, text: string): void {
    this.#add(user, `letter-${(this.#serial += 1)}`, Buffer.from(text, 'latin1'));
  }

  open({ user }: Identity): Maildrop {
    return this.#canAppend ? new AppendableDrop(this, user) : new Drop(this, user);
  }

  lettersOf(user: string): readonly Letter[] {
    return this.#mail.get(user) ?? [];
  }

  remove(user: string, uids: readonly string[]): void {
    this.#mail.set(
      user,
      this.lettersOf(user).filter(({ uid }) => !uids.includes(uid)),
    );
  }

  append(user: string, messages: readonly NewMessage[]): Maildrop {
    const { fault } = this;
    this.fault = undefined;
    if (fault !== undefined) throw fault;
    for (const { key, octets } of messages) this.#add(user, key.replaceAll(/[^!-~]/g, '-'), octets);
    return new AppendableDrop(this, user);
  }

  #add(user: string, uid: string, text: Uint8Array): void {
    const letters = this.lettersOf(user);
    if (!letters.some((letter) => letter.uid === uid)) this.#mail.set(user, [...letters, { uid, text }]);
  }
}

class Drop extends MemoryMaildrop {
  protected readonly spool: MemorySpool;
  protected readonly user: string;

  constructor(spool: MemorySpool, user: string) {
    super(spool.lettersOf(user));
    this.spool = spool;
    this.user = user;
  }

  override async commit(deleted: ReadonlySet<number>): Promise<void> {
    this.spool.remove(
      this.user,
      [...deleted].map((index) => this.uidOf(index)),
    );
  }
}

class AppendableDrop extends Drop {
  async append(messages: readonly NewMessage[]): Promise<Maildrop> {
    return this.spool.append(this.user, messages);
  }
}
