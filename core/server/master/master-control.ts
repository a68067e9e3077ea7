import type { z } from 'zod';

import { type Control, ControlRefusal } from '../control/commands.ts';
import {
  type Drained,
  type Kicked,
  kickedSchema,
  protocolVersion as version,
  type Reloaded,
  type Request,
  type SessionEntry,
  type Status,
  type Unlocked,
  unlockedSchema,
} from '../control/messages.ts';
import type { Child } from './child.ts';
import { countWorkers, locksIn, progressIn, residentOctetsOf, withProgress } from './look-at-users.ts';
import type { Master } from './master.ts';
import { plus, sessionsIn } from './sum-of-statuses.ts';

/** What a master cannot tell about itself. */
export interface Surroundings {
  readonly version: string;
  readonly configFile: string;
  /** Sees to it that the master ends when it has been drained. */
  readonly drain: () => void;
}

/** The control of several processes: the master's own, and what its fronts answer, put together. */
export class MasterControl implements Control {
  readonly #master: Master;
  readonly #surroundings: Surroundings;
  readonly #startedAt = new Date().toISOString();
  #isDraining = false;

  constructor(master: Master, surroundings: Surroundings) {
    this.#master = master;
    this.#surroundings = surroundings;
  }

  async status(): Promise<Status> {
    const { rss, heapUsed } = process.memoryUsage();
    const { total, addresses } = this.#master;
    const others = await residentOctetsOf(this.#master.users.flatMap(({ pids }) => pids));
    const own = { residentOctets: rss + others, heapOctets: heapUsed };
    const { memory } = plus(total, { ...total, memory: own });
    const workers = countWorkers(this.#master.users);
    return {
      ...total,
      memory,
      version: this.#surroundings.version,
      pid: process.pid,
      startedAt: this.#startedAt,
      configFile: this.#surroundings.configFile,
      listening: this.#isDraining ? [] : [...addresses],
      draining: this.#isDraining,
      ...(workers && { workers }),
    };
  }

  /** A front knows of a session that it has handed over what it was then; its worker knows the rest. */
  async *who(): AsyncGenerator<SessionEntry> {
    const elsewhere = await progressIn(this.#master.users);
    for (const child of this.#master.children) {
      for await (const line of child.ask({ version, command: 'who' })) {
        if ('session' in line) yield withProgress(line.session, elsewhere.get(line.session.id));
      }
    }
  }

  async kick(target: string): Promise<Kicked> {
    const kicked = await this.#kick(target);
    if (kicked.ended.length + kicked.late.length === 0)
      throw new ControlRefusal(`there is no session ${target}, and none of a user of that name`);
    return kicked;
  }

  /** The lock may be held in one front and asked for in another, so all sessions end before anybody looks at it. */
  async unlock(user: string): Promise<Unlocked> {
    const ends = await this.#kick(user);
    const looks = [
      ...(await this.#askAll({ version, command: 'unlock', user }, unlockedSchema)),
      ...(await locksIn(this.#master.users, user)),
    ];
    const holders = new Map(looks.flatMap((look) => look.holders).map((holder) => [holder.pid, holder]));
    const states = new Set(looks.map(({ lock }) => lock));
    const lock = (['held', 'free'] as const).find((state) => states.has(state)) ?? 'unknown';
    return { ...ends, lock, holders: lock === 'held' ? [...holders.values()] : [] };
  }

  async reload(): Promise<Reloaded> {
    try {
      return { generation: await this.#master.reload() };
    } catch (error) {
      throw new ControlRefusal(error instanceof Error ? error.message : String(error));
    }
  }

  async drain(): Promise<Drained> {
    if (!this.#isDraining) this.#surroundings.drain();
    this.#isDraining = true;
    return { sessions: sessionsIn(this.#master.total) };
  }

  async #kick(target: string): Promise<Kicked> {
    const all = await this.#askAll({ version, command: 'kick', target }, kickedSchema);
    return { ended: all.flatMap(({ ended }) => ended), late: all.flatMap(({ late }) => late) };
  }

  /** What those of the fronts say that do not refuse and live long enough. */
  async #askAll<Done>(request: Request, schema: z.ZodType<Done>): Promise<readonly Done[]> {
    const answers = await Promise.all(this.#master.children.map((child) => lastLine(child, request)));
    return answers.flatMap((line) => {
      const done = schema.safeParse(line);
      return done.success ? [done.data] : [];
    });
  }
}

async function lastLine(child: Child, request: Request): Promise<unknown> {
  for await (const line of child.ask(request)) if ('done' in line) return line.done;
  return undefined;
}
