import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Mailbox } from './mailbox.ts';
import type { Owner } from './places.ts';
import type { Scale } from './scale.ts';
import { type Contender, start } from './servers.ts';
import { fetchAll } from './sessions.ts';
import { clear, makeSite, Stock, usersOf, usersOfRound, warmUpRound } from './site.ts';
import { type Figure, type Seat, warmUp, type Workload } from './workloads.ts';

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

type Server = Pick<Seat, 'contender' | 'running' | 'site' | 'owner' | 'scale' | 'stock' | 'big'>;

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
      const { scale, owner } = bench;
      const site = makeSite(join(folder, String(index)), usersOf(scale), { contender, owner });
      // Before it is started: what fails here would leave it running.
      const big = stock.bigMailbox(site);
      servers.push({ contender, site, owner, running: await start(contender, site), scale, stock, big });
    }
    for (const server of servers) {
      bench.progress(`warming up: ${server.contender.name}`);
      const mailboxes = mailboxesOf(server, warmUpRound);
      await warmUp({ ...server, round: warmUpRound, mailboxes });
      await fetchAll(server.running.port, server.big);
      clear(mailboxes);
    }
    const results: Result[] = [];
    for (let round = 1; round <= bench.scale.rounds; round += 1) {
      results.push(...(await runRound(bench, servers, round)));
    }
    return results;
  } finally {
    await Promise.all(servers.map(({ running }) => running.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runRound(bench: Bench, servers: readonly Server[], round: number): Promise<Result[]> {
  const seats = servers.map((server): Seat => {
    return { ...server, round, mailboxes: mailboxesOf(server, round) };
  });
  const results: Result[] = [];
  for (const [index, workload] of bench.workloads.entries()) {
    for (const seat of rotated(seats, round + index)) {
      if (seat.contender.skips?.includes(workload.name)) continue;
      bench.progress(`round ${round}, ${workload.name}: ${seat.contender.name}`);
      results.push(...(await runOne(workload, seat)));
    }
  }
  for (const { mailboxes } of seats) clear(mailboxes);
  return results;
}

/** The mail of a round, of which the server is told whose it is. */
function mailboxesOf({ contender, site, scale, stock }: Server, round: number): Mailbox[] {
  contender.expect?.(site, usersOfRound(scale, round));
  return stock.mailboxes(site, round);
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
