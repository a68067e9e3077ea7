import type { Files } from '../files.ts';
import type { Mailbox } from '../settings.ts';
import type { DiskStep } from './memory-disk.ts';
import { Random } from './random.ts';
import { blockOctets, type Change, type Outcome, World, Wrong } from './world.ts';

/** How a history is made. */
export interface HistoryOptions {
  /** Points whose fsync does nothing, to see whether that is found. */
  readonly deafPoints?: readonly string[];
  /** Puts a mistake between the code and the disk. */
  readonly wrap?: (files: Files) => Files;
}

/** What happened, for the statistics; `failure` says what was wrong with the mailbox. */
export interface HistoryReport {
  readonly events: readonly string[];
  readonly failure: string | undefined;
}

/**
 * One life of a mailbox: a few commits and appends on a disk that fails, with mail delivered at any time, killed
 * processes and lost power, also during recovery. The mailbox is judged after each answer and each recovery.
 */
export async function runHistory(seed: number, options: HistoryOptions = {}): Promise<HistoryReport> {
  const history = new History(seed, options);
  const failure = await failureOf(() => history.run());
  return { events: history.world.events, failure };
}

/** The text of what was wrong; other errors are the test's own. */
export async function failureOf(run: () => Promise<void>): Promise<string | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    if (error instanceof Wrong) return error.message;
    throw error;
  }
}

const recoveryDepth = 3;

class History {
  readonly world: World;
  readonly #random: Random;
  readonly #chunkOctets: number;
  readonly #always: boolean;

  constructor(seed: number, { deafPoints = [], wrap }: HistoryOptions) {
    const random = new Random(seed);
    this.#random = random;
    this.#chunkOctets = random.pick(8, 16, 24, 64);
    this.#always = random.chance(0.1);
    this.world = new World({
      random,
      messages: this.#someMessages(6),
      sectorOctets: random.pick(16, 32, 64),
      chunkOctets: this.#chunkOctets,
      fsync: this.#always ? 'always' : 'commit',
      deafPoints,
      wrap,
    });
  }

  async run(): Promise<void> {
    const changes = 1 + this.#random.below(3);
    const troubled = this.#random.chance(0.7) ? changes - 1 : this.#random.below(changes);
    for (let change = 0; change < changes; change += 1) {
      const mailbox = await this.world.open();
      if (change === troubled) this.#planTrouble();
      await this.#session(mailbox);
      if (this.#random.chance(0.3)) this.world.deliver();
      this.world.restart();
    }
    this.world.disk.cutPower();
    await this.world.recoverWell('after the last power cut');
  }

  async #session(mailbox: Mailbox): Promise<void> {
    const before = this.world.content;
    const outcome = await this.world.change(mailbox, this.#someChange());
    this.#endTrouble();
    if (this.world.disk.dead || !this.world.settled) await this.#recoverAll();
    else if (this.#cannotComeBack(outcome) && this.#random.chance(0.3)) {
      // The very octets that the cut took away: a journal that came back would see no cut.
      this.world.deliver(before.subarray(this.world.content.length));
    }
  }

  /** Only the policy `always` promises that of a journal, and only once the client was answered. */
  #cannotComeBack(outcome: Outcome): boolean {
    return this.#always && typeof outcome === 'object' && outcome.leftover === undefined;
  }

  /** Death, mail and recovery, again and again; the last recovery is left in peace. */
  async #recoverAll(): Promise<void> {
    for (let level = 1; level <= recoveryDepth; level += 1) {
      if (this.#random.chance(0.5)) this.world.disk.kill();
      else this.world.disk.cutPower();
      if (this.#random.chance(0.5)) this.world.deliver();
      this.world.boot();
      if (level < recoveryDepth) this.#planDeath(1);
      if (level < recoveryDepth && this.#random.chance(0.15)) this.#failOnce(60);
      const recovered = (await this.world.recover()) !== undefined;
      this.#endTrouble();
      if (recovered && this.#random.chance(0.5)) break;
    }
    await this.world.recoverWell('after recovery');
  }

  #someChange(): Change {
    const kind = this.#random.next();
    if (kind < 0.2) return { kind: 'append', content: Buffer.concat(this.#someMessages(2)) };
    if (kind < 0.4) return this.#someRewrite();
    return { kind: 'delete', deleted: this.#someDeletions() };
  }

  /** Some messages become longer, as by a header field. */
  #someRewrite(): Change {
    const messages = this.world.content.toString('latin1').split(/(?=From )/);
    const first = this.#random.below(messages.length);
    const start = messages.slice(0, first).join('').length;
    const field = (): string => (this.#random.chance(0.5) ? this.#random.pick('U\n', 'Status: RO\n') : '');
    const tail = messages.slice(first).map((text) => text.replace('\n', (end) => `${end}${field()}`));
    const { length: mailboxOctets } = this.world.content;
    return { kind: 'rewrite', start, content: Buffer.from(tail.join('')), mailboxOctets };
  }

  #someDeletions(): Float64Array {
    const probability = this.#random.pick(0.15, 0.5, 0.9);
    const edges: number[] = [];
    let start = 0;
    for (const text of this.world.content.toString('latin1').split(/(?=From )/)) {
      if (text !== '' && this.#random.chance(probability)) edges.push(start, start + text.length);
      start += text.length;
    }
    return Float64Array.from(edges);
  }

  #someMessages(most: number): Buffer[] {
    const messages: Buffer[] = [];
    const count = 1 + this.#random.below(most);
    while (messages.length < count) {
      const twin = messages.at(-1);
      messages.push(twin !== undefined && this.#random.chance(0.15) ? twin : this.#message());
    }
    return messages;
  }

  #message(): Buffer {
    const letter = () => this.#random.pick('a', 'b', 'c', 'd', '\n');
    const text = Array.from({ length: this.#random.below(40) }, letter).join('');
    return Buffer.from(`From a${this.#random.below(2)} ${text}\n`);
  }

  #planTrouble(): void {
    const { disk } = this.world;
    if (this.#random.chance(0.3)) this.#failOnce(200);
    else if (this.#random.chance(0.15)) disk.freeOctets = this.#random.below(2000);
    this.#planDeath(disk.fault === undefined ? 0.9 : 0.3);
    if (this.#random.chance(0.2)) this.#atSync(this.#random.below(8), () => this.world.deliver());
  }

  #endTrouble(): void {
    this.world.disk.fault = undefined;
    this.world.disk.beforeSync = undefined;
    this.world.disk.freeOctets = undefined;
    if (!this.world.disk.dead) this.world.disk.stepsToLive = undefined;
  }

  /** Anywhere, or just before the disk is waited for, which is where most has to be true. */
  #planDeath(probability: number): void {
    if (!this.#random.chance(probability)) return;
    const { disk } = this.world;
    if (this.#random.chance(0.7)) disk.stepsToLive = this.#random.below(this.#stepsOfChange());
    else this.#atSync(this.#random.below(8), () => (disk.stepsToLive = 0));
  }

  /** Roughly what a deletion from the middle takes, so that deaths fall everywhere in it. */
  #stepsOfChange(): number {
    const sectors = (octets: number) => Math.ceil(octets / this.world.disk.sectorOctets) + 1;
    const chunks = Math.ceil((this.world.content.length * this.#random.next()) / this.#chunkOctets);
    return sectors(3 * blockOctets) + chunks * (sectors(blockOctets) + 2 * sectors(this.#chunkOctets)) + 5;
  }

  #atSync(index: number, act: () => void): void {
    const { disk } = this.world;
    const others = disk.beforeSync;
    let left = index;
    disk.beforeSync = () => {
      others?.();
      if (left === 0 && !disk.dead) act();
      left -= 1;
    };
  }

  #failOnce(steps: number): void {
    const code = this.#random.pick('EIO', 'EIO', 'ENOSPC', 'EDQUOT');
    const only = this.#random.pick('sync', 'dataSync', 'dataSync', 'syncFolder', 'write', undefined);
    const index = this.#random.below(
      only === undefined || only === 'write' ? steps : this.#random.pick(1, 1, 2, 6),
    );
    this.world.disk.fault = failing({ code, only, index, lasting: this.#random.chance(0.3) });
  }
}

/** The disk's answer at the step with this index, among those of one call if `only` names it. */
export function failing(fault: {
  readonly code: string;
  readonly index: number;
  readonly only?: string | undefined;
  /** The file is bad from then on; it can still lose its name. */
  readonly lasting: boolean;
}): (step: DiskStep) => string | undefined {
  let left = fault.index;
  let bad: string | undefined;
  return ({ call, path }) => {
    if (bad !== undefined) return fault.lasting && bad === path && inFile.has(call) ? fault.code : undefined;
    if (fault.only !== undefined && fault.only !== call) return undefined;
    left -= 1;
    if (left >= 0) return undefined;
    bad = path;
    return fault.code;
  };
}

const inFile: ReadonlySet<string> = new Set(['read', 'write', 'truncate', 'sync', 'dataSync']);
