import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { put } from './load.ts';
import type { Owner } from './mailbox.ts';
import type { Scale } from './scale.ts';
import { type Contender, start } from './servers.ts';
import { fetchAll, look } from './sessions.ts';
import { makeSite, remove, Stock } from './site.ts';
import type { Figure, Seat, Workload } from './workloads.ts';

/** What one contender reached in one round. */
export interface Result extends Figure {
  readonly contender: string;
  readonly round: number;
}

export interface Bench {
  readonly scale: Scale;
  readonly contenders: readonly Contender[];
  readonly workloads: readonly Workload[];
  readonly owner: Owner;
  /** Is told what is being done, a line at a time. */
  readonly progress: (line: string) => void;
}

type Server = Pick<Seat, 'contender' | 'running' | 'site' | 'big'>;

/**
 * Starts the contenders side by side and gives each workload to one after the other, in another order in each round, so
 * that what else the machine does hits them alike. Throws at the first reply that is wrong. Leaves nothing behind.
 */
export async function runBench(bench: Bench): Promise<Result[]> {
  const folder = mkdtempSync(join(tmpdir(), 'popper-bench-'));
  // Servers that have given up root must get through it.
  chmodSync(folder, 0o755);
  const stock = new Stock(bench.scale);
  const servers: Server[] = [];
  try {
    for (const [index, contender] of bench.contenders.entries()) {
      const site = makeSite(join(folder, String(index)), bench.scale, bench.owner);
      servers.push({ contender, site, running: await start(contender, site), big: stock.bigMailbox(site) });
    }
    for (const server of servers) await warmUp(server, bench, stock);
    const results: Result[] = [];
    for (let round = 1; round <= bench.scale.rounds; round += 1) {
      results.push(...(await runRound(bench, { servers, stock, round })));
    }
    return results;
  } finally {
    await Promise.all(servers.map(({ running }) => running.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A daemon runs for months: what it does in its first second, while code is compiled and caches are filled, is no measure. */
async function warmUp(
  { running, site, big }: Server,
  { scale, progress }: Bench,
  stock: Stock,
): Promise<void> {
  progress('warming up');
  const mailboxes = stock.mailboxes(site, 0);
  for (const session of [look, fetchAll]) {
    await put(scale, mailboxes, (mailbox) => session(running.port, mailbox));
  }
  await fetchAll(running.port, big);
  remove(mailboxes);
}

interface Round {
  readonly servers: readonly Server[];
  readonly stock: Stock;
  readonly round: number;
}

async function runRound(bench: Bench, { servers, stock, round }: Round): Promise<Result[]> {
  const seats = servers.map((server): Seat => {
    const mailboxes = stock.mailboxes(server.site, round);
    return { ...server, stock, round, mailboxes, scale: bench.scale };
  });
  const results: Result[] = [];
  for (const [index, workload] of bench.workloads.entries()) {
    for (const seat of rotated(seats, round + index)) {
      bench.progress(`round ${round}, ${workload.name}: ${seat.contender.name}`);
      results.push(...(await runOne(workload, seat)));
    }
  }
  for (const { mailboxes } of seats) remove(mailboxes);
  return results;
}

async function runOne(workload: Workload, seat: Seat): Promise<Result[]> {
  const { contender, round } = seat;
  try {
    const figures = await workload.run(seat);
    return figures.map((figure) => ({ ...figure, contender: contender.name, round }));
  } catch (error) {
    throw new Error(
      `${workload.name}, ${contender.name}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

const rotated = <T>(list: readonly T[], by: number): T[] => [
  ...list.slice(by % list.length),
  ...list.slice(0, by % list.length),
];
