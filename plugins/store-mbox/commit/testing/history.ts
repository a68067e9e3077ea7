import { appendMessages } from '../append.ts';
import { commitDeletions, type CommitResult } from '../commit.ts';
import { CommitError } from '../errors.ts';
import type { Files } from '../files.ts';
import { journalPathOf } from '../journal.ts';
import { recoverMailbox } from '../recover.ts';
import { poolReserve } from '../reserve.ts';
import type { CommitSettings, Mailbox } from '../settings.ts';
import { appending, deleting, Expectation } from './expectation.ts';
import { MemoryDisk } from './memory-disk.ts';
import { Random } from './random.ts';

/** How a history is made. */
export interface HistoryOptions {
  /** Points whose fsync does nothing, to see whether that is found. */
  readonly deafPoints?: readonly string[];
  /** Puts a mistake between the code and the disk. */
  readonly wrap?: (files: Files) => Files;
  /** Crashes in a row, those of recovery included; 3 if not given. */
  readonly depth?: number;
}

/** What happened, for the statistics; `failure` says what was wrong with the mailbox. */
export interface HistoryReport {
  readonly events: readonly string[];
  readonly seenPoints: ReadonlySet<string>;
  readonly failure: string | undefined;
}

/**
 * One life of a mailbox: a few commits and appends on a disk that fails, with mail delivered at any time, killed
 * processes and lost power, also during recovery. The mailbox is judged after each recovery.
 */
export async function runHistory(seed: number, options: HistoryOptions = {}): Promise<HistoryReport> {
  const history = new History(seed, options);
  const failure = await history.run();
  return { events: history.events, seenPoints: history.disk.seenPoints, failure };
}

const mailboxPath = '/spool/user';
const journalFolder = '/state/journals';
const journalPath = journalPathOf(journalFolder, mailboxPath);
const blockOctets = 256;
const inFile: ReadonlySet<string> = new Set(['read', 'write', 'truncate', 'sync', 'dataSync']);

class History {
  readonly events: string[] = [];
  readonly disk: MemoryDisk;
  readonly #random: Random;
  readonly #options: HistoryOptions;
  readonly #expected: Expectation;
  readonly #chunkOctets: number;
  readonly #policy: 'commit' | 'always';
  /** Lengths of the messages, in order; only while nobody else appends. */
  #messages: Buffer[] = [];
  #nextMail = 0;
  /** The last change was acknowledged under a policy by which its journal cannot come back. */
  #trustworthy = false;
  #beforeChange: Buffer = Buffer.alloc(0);
  #files: Files;

  constructor(seed: number, options: HistoryOptions) {
    this.#random = new Random(seed);
    this.#options = options;
    this.disk = new MemoryDisk(this.#random, this.#random.pick(16, 32, 64));
    for (const point of options.deafPoints ?? []) this.disk.deafPoints.add(point);
    this.#chunkOctets = this.#random.pick(8, 16, 24, 64);
    this.#policy = this.#random.chance(0.1) ? 'always' : 'commit';
    this.#messages = this.#someMessages();
    const content = Buffer.concat(this.#messages);
    this.disk.put(mailboxPath, content);
    this.#expected = new Expectation(content);
    this.disk.put('/state/pool/reserve-0', Buffer.alloc(4 * blockOctets + 200, '#'));
    this.#files = this.#boot();
  }

  async run(): Promise<string | undefined> {
    const changes = 1 + this.#random.below(3);
    const troubled = this.#random.chance(0.7) ? changes - 1 : this.#random.below(changes);
    for (let change = 0; change < changes; change += 1) {
      const mailbox = await this.#open();
      if (change === troubled) this.#planTrouble();
      const failure = (await this.#change(mailbox)) ?? (this.disk.dead || !this.#expected.settled ? await this.#recoverAll() : undefined);
      if (failure !== undefined) return failure;
      if (this.#random.chance(0.3)) this.#deliver();
      if (this.#trustworthy && this.#random.chance(0.3)) this.#deliverAgain();
      this.#learn();
    }
    return await this.#lastPowerCut();
  }

  /** A commit or an append, as a session does it, and what the client would be told. */
  async #change(mailbox: Mailbox): Promise<string | undefined> {
    const append = this.#random.chance(0.2);
    this.#trustworthy = false;
    this.#beforeChange = this.disk.content(mailboxPath) ?? Buffer.alloc(0);
    const deleted = this.#someDeletions();
    const content = Buffer.concat(this.#someMessages().slice(0, 2));
    this.#expected.begin(append ? appending(content) : deleting(deleted));
    try {
      const settings = this.#settings();
      const result = append ? await appendMessages(mailbox, content, settings) : await commitDeletions(mailbox, deleted, settings);
      return this.#judgeDone(result);
    } catch (error) {
      return this.#judgeFailed(error);
    } finally {
      this.disk.fault = undefined;
      this.disk.beforeSync = undefined;
    }
  }

  #judgeDone({ mailboxOctets, leftover }: CommitResult): string | undefined {
    this.events.push('done');
    this.#trustworthy = this.#policy === 'always' && leftover === undefined;
    this.#expected.settle('after');
    const found = this.#judge('after the answer +OK');
    if (found !== undefined) return found;
    // Mail of an agent that ignores locks may lie behind what the commit knew last.
    const late = (this.disk.content(mailboxPath)?.length ?? 0) - mailboxOctets;
    return late === 0 || (late > 0 && this.#expected.deliveries > 0) ? undefined : 'a wrong size was reported';
  }

  #judgeFailed(error: unknown): string | undefined {
    if (this.disk.dead) return undefined;
    if (!(error instanceof CommitError)) throw error;
    this.events.push(error.state);
    if (error.state === 'untouched') this.#expected.settle('before');
    if (error.state !== 'unsynced') return error.state === 'pending' ? undefined : this.#judge('after "untouched"');
    this.#expected.settle('after');
    const failure = this.#judge('after "unsynced"');
    this.#expected.settle('either');
    return failure;
  }

  /** Death, mail and recovery, again and again; the last recovery is left in peace. */
  async #recoverAll(): Promise<string | undefined> {
    const depth = this.#options.depth ?? 3;
    for (let level = 1; level <= depth; level += 1) {
      this.#die();
      if (this.#random.chance(0.5)) this.#deliver();
      this.#files = this.#boot();
      if (level < depth) this.#planDeath(1);
      if (!(await this.#recover())) continue;
      if (level === depth || this.#random.chance(0.5)) break;
    }
    this.disk.beforeSync = undefined;
    if (this.disk.dead) this.#files = this.#boot();
    this.disk.stepsToLive = undefined;
    if (!(await this.#recover(true))) return 'recovery failed on a healthy disk';
    return this.#judge('after recovery');
  }

  /** Answers whether it came to an end. */
  async #recover(healthy = false): Promise<boolean> {
    if (!healthy && this.#random.chance(0.15)) this.#failOnce(60);
    try {
      const mailbox = await this.#open();
      const { kind } = await recoverMailbox(mailbox, this.#settings());
      this.events.push(`recovery: ${kind}`);
      return kind !== 'conflict';
    } catch (error) {
      this.events.push(this.disk.dead ? 'death in recovery' : 'error in recovery');
      if (healthy) throw error;
      return false;
    } finally {
      this.disk.fault = undefined;
    }
  }

  /** Whatever was certain stays so when the power goes once more and a stale journal comes back. */
  async #lastPowerCut(): Promise<string | undefined> {
    this.disk.cutPower();
    this.#files = this.#boot();
    if (!(await this.#recover(true))) return 'recovery failed on a healthy disk';
    return this.#judge('after the last power cut');
  }

  #judge(when: string): string | undefined {
    const content = this.disk.content(mailboxPath) ?? Buffer.alloc(0);
    if (this.#expected.allows(content)) return undefined;
    return `${when} the mailbox holds ${JSON.stringify(content.toString('latin1'))}`;
  }

  /** Sees the mailbox as a new session does. */
  #learn(): void {
    if (!this.#expected.settled && this.disk.content(journalPath) === undefined) {
      // A cut alone leaves no journal; until it is durable both contents stay possible, and a look does not change that.
      this.disk.deliver(mailboxPath, Buffer.alloc(0));
    }
    const content = this.disk.content(mailboxPath) ?? Buffer.alloc(0);
    this.#expected.restart(content);
    this.#messages = content.toString('latin1').split(/(?=From )/).filter((text) => text !== '').map((text) => Buffer.from(text, 'latin1'));
  }

  #planTrouble(): void {
    if (this.#random.chance(0.3)) this.#failOnce(200);
    else if (this.#random.chance(0.15)) this.disk.freeOctets = this.#random.below(2000);
    this.#planDeath(this.disk.fault === undefined ? 0.9 : 0.3);
    if (this.#random.chance(0.2)) this.#atSync(this.#random.below(8), () => this.#deliver());
  }

  /** Anywhere, or just before the disk is waited for, which is where most has to be true. */
  #planDeath(probability: number): void {
    if (!this.#random.chance(probability)) return;
    if (this.#random.chance(0.7)) this.disk.stepsToLive = this.#random.below(this.#stepsOfChange());
    else this.#atSync(this.#random.below(8), () => (this.disk.stepsToLive = 0));
  }

  #atSync(index: number, act: () => void): void {
    const others = this.disk.beforeSync;
    let left = index;
    this.disk.beforeSync = () => {
      others?.();
      if (left === 0 && !this.disk.dead) act();
      left -= 1;
    };
  }

  /** Roughly what a deletion from the middle takes, so that deaths fall everywhere in it. */
  #stepsOfChange(): number {
    const sectors = (octets: number) => Math.ceil(octets / this.disk.sectorOctets) + 1;
    const moved = (this.disk.content(mailboxPath)?.length ?? 0) * this.#random.next();
    const chunks = Math.ceil(moved / this.#chunkOctets);
    return sectors(3 * blockOctets) + chunks * (sectors(blockOctets) + 2 * sectors(this.#chunkOctets)) + 5;
  }

  #failOnce(steps: number): void {
    const code = this.#random.pick('EIO', 'EIO', 'ENOSPC', 'EDQUOT');
    const lasting = this.#random.chance(0.3);
    const only = this.#random.pick('sync', 'dataSync', 'dataSync', 'syncFolder', 'write', 'any');
    let left = this.#random.below(only === 'any' || only === 'write' ? steps : this.#random.pick(1, 1, 2, 6));
    let failing: string | undefined;
    this.disk.fault = ({ call, path }) => {
      // A file that went bad can still lose its name.
      if (failing !== undefined) return lasting && failing === path && inFile.has(call) ? code : undefined;
      if (only !== 'any' && only !== call) return undefined;
      left -= 1;
      if (left >= 0) return undefined;
      failing = path;
      return code;
    };
  }

  #deliver(): void {
    const mail = this.#mail();
    this.disk.deliver(mailboxPath, mail);
    this.#expected.deliver(mail);
  }

  /**
   * The very octets that the last cut took away. A journal that comes back would see no cut; only the policy `always`
   * promises that it does not come back once the client was answered.
   */
  #deliverAgain(): void {
    const content = this.disk.content(mailboxPath) ?? Buffer.alloc(0);
    const mail = this.#beforeChange.subarray(content.length);
    this.disk.deliver(mailboxPath, mail);
    this.#expected.deliver(mail);
  }

  #die(): void {
    if (this.#random.chance(0.5)) this.disk.kill();
    else this.disk.cutPower();
    this.disk.beforeSync = undefined;
    this.disk.freeOctets = undefined;
  }

  #boot(): Files {
    const files = this.disk.files();
    return this.#options.wrap?.(files) ?? files;
  }

  async #open(): Promise<Mailbox> {
    return { path: mailboxPath, file: await this.#files.open(mailboxPath, 'read-write') };
  }

  #settings(): CommitSettings {
    const files = this.#files;
    const reserve = poolReserve(files, '/state/pool');
    return { files, journalFolder, reserve, blockOctets, chunkOctets: this.#chunkOctets, fsync: this.#policy };
  }

  #someMessages(): Buffer[] {
    const messages: Buffer[] = [];
    const count = 1 + this.#random.below(6);
    while (messages.length < count) {
      const twin = messages.at(-1);
      messages.push(twin !== undefined && this.#random.chance(0.15) ? twin : this.#message(`a${this.#random.below(2)}`, 40));
    }
    return messages;
  }

  #someDeletions(): Float64Array {
    const probability = this.#random.pick(0.15, 0.5, 0.9);
    const edges: number[] = [];
    let start = 0;
    for (const { length } of this.#messages) {
      if (this.#random.chance(probability)) edges.push(start, start + length);
      start += length;
    }
    return Float64Array.from(edges);
  }

  #mail(): Buffer {
    this.#nextMail += 1;
    return this.#message(`mda${String(this.#nextMail).padStart(5, '0')}`, 80);
  }

  #message(sender: string, mostOctets: number): Buffer {
    const letters = Array.from({ length: this.#random.below(mostOctets) }, () => this.#random.pick('a', 'b', 'c', 'd', '\n'));
    return Buffer.from(`From ${sender} ${letters.join('')}\n`);
  }
}
