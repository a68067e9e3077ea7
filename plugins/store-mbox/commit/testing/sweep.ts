import { failing, failureOf } from './history.ts';
import { Random } from './random.ts';
import { type Change, type Outcome, World } from './world.ts';

/** A change whose every step is to fail once. */
export interface SweepCase {
  readonly title: string;
  readonly messages: readonly Buffer[];
  readonly change: Change;
  readonly chunkOctets: number;
}

/** One failed step, and what was said. */
export interface SweepResult {
  readonly index: number;
  readonly outcome: Outcome;
  readonly failure: string | undefined;
}

/**
 * Lets each step of a change fail in turn with this error, then cuts the power and recovers. `powerCuts` is how many
 * different losses are tried for each.
 */
export async function* sweep(
  { messages, change, chunkOctets }: SweepCase,
  fault: { readonly code: string; readonly lasting: boolean },
  options: { readonly powerCuts: number; readonly deafPoints?: readonly string[] },
): AsyncGenerator<SweepResult> {
  for (let index = 0; ; index += 1) {
    let reached = false;
    for (let seed = 0; seed < options.powerCuts; seed += 1) {
      const random = new Random(index * 1000 + seed);
      const world = new World({
        random,
        messages,
        sectorOctets: 64,
        chunkOctets,
        deafPoints: options.deafPoints ?? [],
      });
      let outcome: Outcome = 'died';
      const failure = await failureOf(async () => {
        const mailbox = await world.open();
        const answer = failing({ ...fault, index });
        world.disk.fault = (step) => {
          const code = answer(step);
          reached ||= code !== undefined;
          return code;
        };
        outcome = await world.change(mailbox, change);
        world.disk.fault = undefined;
        world.disk.cutPower();
        await world.recoverWell('after a power cut');
      });
      if (!reached) return;
      yield { index, outcome, failure };
    }
  }
}

/**
 * Kills the process at each step of a change in turn, recovers (every second time death comes in recovery, too), cuts
 * the power and recovers again; answers what was wrong first.
 */
export async function sweepDeaths(
  sweepCase: SweepCase,
  options: { readonly powerCuts: number; readonly deafPoints?: readonly string[] },
): Promise<string | undefined> {
  for (let index = 0; ; index += 1) {
    for (let seed = 0; seed < options.powerCuts; seed += 1) {
      const death = new Death(sweepCase, { index, seed, deafPoints: options.deafPoints ?? [] });
      const failure = await failureOf(() => death.run());
      if (failure !== undefined) return `step ${index}: ${failure}`;
      if (death.survived) return undefined;
    }
  }
}

class Death {
  readonly #world: World;
  readonly #change: Change;
  readonly #random: Random;
  readonly #index: number;
  readonly #again: boolean;
  survived = false;

  constructor(
    { messages, change, chunkOctets }: SweepCase,
    where: { readonly index: number; readonly seed: number; readonly deafPoints: readonly string[] },
  ) {
    const { index, seed, deafPoints } = where;
    this.#random = new Random(index * 1000 + seed);
    this.#world = new World({ random: this.#random, messages, sectorOctets: 64, chunkOctets, deafPoints });
    this.#change = change;
    this.#index = index;
    this.#again = seed % 2 === 1;
  }

  async run(): Promise<void> {
    const { disk } = this.#world;
    const mailbox = await this.#world.open();
    disk.stepsToLive = this.#index;
    this.survived = (await this.#world.change(mailbox, this.#change)) !== 'died';
    disk.kill();
    this.#world.boot();
    if (this.#again) disk.stepsToLive = this.#random.below(40);
    await this.#world.recover();
    if (!this.#again) this.#world.judge('after death');
    disk.cutPower();
    await this.#world.recoverWell('after death, recovery and a power cut');
  }
}

/** The changes that take different ways through the code. */
export const sweepCases: readonly SweepCase[] = [
  { title: 'only the last message', ...deleting([3]), chunkOctets: 64 },
  { title: 'the first message, in many overlapping steps', ...deleting([0]), chunkOctets: 24 },
  { title: 'every second message', ...deleting([0, 2]), chunkOctets: 64 },
  { title: 'so much that no step overlaps', ...deleting([0, 1, 2]), chunkOctets: 16 },
  { title: 'nothing: fields are added', messages: fourMessages(), change: fields(), chunkOctets: 64 },
  { title: 'nothing: a bulletin comes', messages: fourMessages(), change: bulletin(), chunkOctets: 64 },
];

function fourMessages(): Buffer[] {
  return [40, 30, 50, 45].map((octets, index) => Buffer.from(`From a${index} ${'x'.repeat(octets)}\n`));
}

function deleting(indexes: readonly number[]): Pick<SweepCase, 'messages' | 'change'> {
  const edges: number[] = [];
  let start = 0;
  for (const [index, { length }] of fourMessages().entries()) {
    if (indexes.includes(index)) edges.push(start, start + length);
    start += length;
  }
  return { messages: fourMessages(), change: { kind: 'delete', deleted: Float64Array.from(edges) } };
}

function bulletin(): Change {
  return { kind: 'append', content: Buffer.from(`From root ${'news '.repeat(20)}\n`) };
}

function fields(): Change {
  const [first, ...rest] = fourMessages();
  const content = Buffer.concat(rest.flatMap((text) => [text, Buffer.from(`Status: ${'RO '.repeat(15)}\n`)]));
  const mailboxOctets = Buffer.concat(fourMessages()).length;
  return { kind: 'rewrite', start: first?.length ?? 0, content, mailboxOctets };
}
