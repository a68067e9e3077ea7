import { appendMessages } from '../append.ts';
import { commitDeletions, type CommitResult } from '../commit.ts';
import { CommitError, type CommitState } from '../errors.ts';
import type { Files } from '../files.ts';
import { recoverMailbox, type Recovery } from '../recover.ts';
import { poolReserve } from '../reserve.ts';
import { rewriteTail } from '../rewrite.ts';
import type { CommitSettings, Mailbox, SyncPolicy } from '../settings.ts';
import { appending, deleting, Expectation, rewriting } from './expectation.ts';
import { MemoryDisk } from './memory-disk.ts';
import type { Random } from './random.ts';

export const mailboxPath = '/spool/user';
export const journalFolder = '/state/journals';
export const poolFolder = '/state/pool';
export const blockOctets = 256;

/** What makes one world differ from another. */
export interface WorldOptions {
  readonly random: Random;
  readonly messages: readonly Buffer[];
  readonly sectorOctets: number;
  readonly chunkOctets: number;
  readonly fsync?: SyncPolicy;
  /** Points whose fsync does nothing, to see whether that is found. */
  readonly deafPoints?: readonly string[];
  /** Puts a mistake between the code and the disk. */
  readonly wrap?: ((files: Files) => Files) | undefined;
}

/** What a session wants. */
export type Change =
  | { readonly kind: 'delete'; readonly deleted: Float64Array }
  | { readonly kind: 'append'; readonly content: Buffer }
  | {
      readonly kind: 'rewrite';
      readonly start: number;
      readonly content: Buffer;
      readonly mailboxOctets: number;
    };

/** What became of it; `died` if nobody was left to tell. */
export type Outcome = CommitResult | CommitState | 'died';

/** The mailbox holds what it must not. */
export class Wrong extends Error {
  override readonly name = 'Wrong';
}

function expectedOf(change: Change): ReturnType<typeof deleting> {
  if (change.kind === 'append') return appending(change.content);
  if (change.kind === 'rewrite') return rewriting(change.start, change.content);
  return deleting(change.deleted);
}

/** A mailbox on a disk that fails, the real code that changes it, and the judge of what is found there. */
export class World {
  readonly disk: MemoryDisk;
  readonly events: string[] = [];
  readonly #options: WorldOptions;
  readonly #expected: Expectation;
  #files: Files;
  #nextMail = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.disk = new MemoryDisk(options.random, options.sectorOctets);
    for (const point of options.deafPoints ?? []) this.disk.deafPoints.add(point);
    this.disk.put(mailboxPath, Buffer.concat(options.messages));
    this.disk.put(`${poolFolder}/reserve-0`, Buffer.alloc(4 * blockOctets + 200, '#'));
    this.#expected = new Expectation(this.content);
    this.#files = this.disk.files();
    this.boot();
  }

  get content(): Buffer {
    return this.disk.content(mailboxPath) ?? Buffer.alloc(0);
  }

  /** Whether it is known which content is right. */
  get settled(): boolean {
    return this.#expected.settled;
  }

  get settings(): CommitSettings {
    const { chunkOctets, fsync = 'commit' } = this.#options;
    const files = this.#files;
    return { files, journalFolder, reserve: poolReserve(files, poolFolder), blockOctets, chunkOctets, fsync };
  }

  /** A new process. */
  boot(): void {
    const files = this.disk.files();
    this.#files = this.#options.wrap?.(files) ?? files;
  }

  async open(): Promise<Mailbox> {
    return { path: mailboxPath, file: await this.#files.open(mailboxPath, 'read-write') };
  }

  /** A commit or an append. What the client would be told is compared with what is there. */
  async change(mailbox: Mailbox, change: Change): Promise<Outcome> {
    this.#expected.begin(expectedOf(change));
    try {
      const result = await this.#make(mailbox, change);
      this.#judgeDone(result);
      return result;
    } catch (error) {
      if (this.disk.dead) return 'died';
      if (!(error instanceof CommitError)) throw error;
      this.#judgeFailed(error.state);
      return error.state;
    }
  }

  #make(mailbox: Mailbox, change: Change): Promise<CommitResult> {
    if (change.kind === 'append') return appendMessages(mailbox, change.content, this.settings);
    if (change.kind === 'rewrite') return rewriteTail(mailbox, change, this.settings);
    return commitDeletions(mailbox, change.deleted, this.settings);
  }

  /** undefined if it did not come to an end. */
  async recover(): Promise<Recovery['kind'] | undefined> {
    try {
      const { kind } = await recoverMailbox(await this.open(), this.settings);
      this.events.push(`recovery: ${kind}`);
      return kind === 'conflict' ? undefined : kind;
    } catch {
      this.events.push(this.disk.dead ? 'death in recovery' : 'error in recovery');
      return undefined;
    }
  }

  /** On a disk without trouble it must end. */
  async recoverWell(when: string): Promise<void> {
    if (this.disk.dead) this.boot();
    if ((await this.recover()) === undefined) throw new Wrong(`${when} recovery failed on a healthy disk`);
    this.judge(when);
  }

  /** Throws Wrong. */
  judge(when: string): void {
    if (this.#expected.allows(this.content)) return;
    throw new Wrong(`${when} the mailbox holds ${JSON.stringify(this.content.toString('latin1'))}`);
  }

  /** Sees the mailbox as a new session does: this content, and no other, from now on. */
  restart(): void {
    // A cut alone leaves no journal; until it is durable both contents stay possible, and a look does not change that.
    if (!this.settled) this.disk.deliver(mailboxPath, Buffer.alloc(0));
    this.#expected.restart(this.content);
  }

  /** A mail delivery agent brings a message like no other, or the given one. */
  deliver(mail = this.#mail()): void {
    this.disk.deliver(mailboxPath, mail);
    this.#expected.deliver(mail);
  }

  #mail(): Buffer {
    this.#nextMail += 1;
    const lines = 'xyz\n'.repeat(this.#options.random.below(20));
    return Buffer.from(`From mda${String(this.#nextMail).padStart(5, '0')} ${lines}\n`);
  }

  #judgeDone({ mailboxOctets }: CommitResult): void {
    this.events.push('done');
    this.#expected.settle('after');
    this.judge('after the answer +OK');
    // Mail of an agent that ignores locks may lie behind what the commit knew last.
    const late = this.content.length - mailboxOctets;
    if (late < 0 || (late > 0 && this.#expected.deliveries === 0))
      throw new Wrong('a wrong size was reported');
  }

  #judgeFailed(state: CommitState): void {
    this.events.push(state);
    if (state === 'pending') return;
    this.#expected.settle(state === 'untouched' ? 'before' : 'after');
    this.judge(`after "${state}"`);
    if (state === 'unsynced') this.#expected.settle('either');
  }
}
