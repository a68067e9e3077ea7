import { appendFileSync, chownSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Message } from './mail.ts';

/** Whose the mail is: a uid and gid that every server runs its sessions for. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** One user's mbox, and what the bench knows to be in it. */
export class Mailbox {
  readonly user: string;
  readonly path: string;
  #messages: readonly Message[];
  /** Unique-ids as they were told last; of as many messages as the client has seen. */
  #uids: readonly string[] = [];

  constructor(spool: string, user: string, messages: readonly Message[]) {
    this.user = user;
    this.path = join(spool, user);
    this.#messages = messages;
  }

  static create(
    where: { readonly spool: string; readonly owner: Owner },
    user: string,
    messages: readonly Message[],
  ) {
    const mailbox = new Mailbox(where.spool, user, messages);
    writeFileSync(mailbox.path, Buffer.concat(messages.map(({ stored }) => stored)), { mode: 0o600 });
    chownSync(mailbox.path, where.owner.uid, where.owner.gid);
    return mailbox;
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  get totalOctets(): number {
    return this.#messages.reduce((sum, { octets }) => sum + octets, 0);
  }

  get fileOctets(): number {
    return statSync(this.path).size;
  }

  /** Mail comes in. No session of this user is open, so no lock is needed. */
  deliver(messages: readonly Message[]): void {
    appendFileSync(this.path, Buffer.concat(messages.map(({ stored }) => stored)));
    this.#messages = [...this.#messages, ...messages];
  }

  /** A session has deleted its first messages. */
  forget(count: number): void {
    this.#messages = this.#messages.slice(count);
    this.#uids = this.#uids.slice(count);
  }

  /**
   * Takes what UIDL said and gives how many of the messages were known already. Throws where a message has changed its
   * unique-id, two have one, or the list is not of these messages.
   */
  learnUids(lines: readonly string[]): number {
    const known = this.#uids;
    const uids = lines.map((line) => line.slice(line.indexOf(' ') + 1));
    const numbered = lines.every((line, index) => line === `${index + 1} ${uids[index]}`);
    if (!numbered || uids.length !== this.#messages.length)
      throw new Error(`UIDL lists other messages: ${lines.join(', ')}`);
    if (new Set(uids).size !== uids.length)
      throw new Error(`UIDL gives two messages one id: ${lines.join(', ')}`);
    const changed = known.findIndex((uid, index) => uids[index] !== uid);
    if (changed !== -1)
      throw new Error(`message ${changed + 1} had the id ${known[changed]} and has ${uids[changed]}`);
    this.#uids = uids;
    return known.length;
  }
}
