import type { Socket } from 'node:net';

import type { Logger } from '../../log/logger.ts';
import { Failure } from '../../protocol/failure.ts';
import type { Order, Report } from '../ipc/messages.ts';
import { TicketRefused } from '../user/ticket.ts';
import type { Assigned } from '../user/user-authority.ts';
import type { WorkerPool } from '../user/worker-pool.ts';
import type { Child } from './child.ts';

type ReportOf<Kind extends Report['kind']> = Extract<Report, { kind: Kind }>;

export interface FrontDeskOptions {
  readonly pool: WorkerPool;
  readonly log: Logger;
}

/** A session that has no worker yet. */
interface Waiting {
  readonly lent: Socket | undefined;
  /** How it is to end when it has one. */
  how: ReportOf<'end'>['how'] | undefined;
}

/** Gets one front its workers. What the front says of a session is believed of its own sessions only. */
export class FrontDesk {
  readonly #front: Child;
  readonly #pool: WorkerPool;
  readonly #log: Logger;
  readonly #sessions = new Map<string, Assigned>();
  readonly #waiting = new Map<string, Waiting>();
  #isOver = false;

  constructor(front: Child, { pool, log }: FrontDeskOptions) {
    this.#front = front;
    this.#pool = pool;
    this.#log = log;
    void front.ended.then(() => this.#leave());
  }

  /** `lent` is the connection that came with the report; it is let go of when a worker has it. */
  hear(report: Report, lent: Socket | undefined): void {
    if (report.kind === 'assign') return void this.#assign(report, lent);
    lent?.destroy();
    if (report.kind === 'end') this.#end(report);
  }

  async #assign({ request, ticket, facts, lends }: ReportOf<'assign'>, lent?: Socket): Promise<void> {
    const session = facts.id;
    const waiting: Waiting = { lent, how: undefined };
    try {
      this.#refuseOdd(session);
      if (lends !== (lent !== undefined)) throw new Error('the connection was lost on the way');
      this.#waiting.set(session, waiting);
      const assigned = await this.#pool.assign(ticket, facts, lent);
      this.#sessions.set(session, assigned);
      void this.#tellEnd(session, assigned);
      assigned.whenStalled((forMs) => this.#front.send({ kind: 'stalled', session, forMs }));
      const how = this.#isOver ? 'gone' : waiting.how;
      if (how !== undefined) assigned.end(how);
      if (assigned.stream) await this.#front.give({ kind: 'assigned', request }, assigned.stream);
    } catch (error) {
      this.#front.send(this.#refusal(request, session, error));
    } finally {
      if (this.#waiting.get(session) === waiting) this.#waiting.delete(session);
      lent?.destroy();
    }
  }

  #refuseOdd(session: string): void {
    // Ids of sessions begin with the process that has made them: it cannot end another's.
    if (!session.startsWith(`${this.#front.pid}-`))
      throw new TicketRefused(`${session} is another's session`);
    // Of two with one name, nobody would ever be told of the end of one, and it would count for its user for ever.
    if (this.#waiting.has(session) || this.#sessions.has(session))
      throw new TicketRefused(`${session} has begun already`);
  }

  #end({ session, how }: ReportOf<'end'>): void {
    this.#sessions.get(session)?.end(how);
    const waiting = this.#waiting.get(session);
    if (waiting === undefined) return;
    waiting.how = how;
    // The client is not to stay connected for as long as this waits.
    if (how === 'gone') waiting.lent?.destroy();
  }

  async #tellEnd(session: string, assigned: Assigned): Promise<void> {
    const outcome = await assigned.outcome;
    this.#sessions.delete(session);
    this.#front.send({ kind: 'ended', session, ...(outcome && { outcome }) });
  }

  #refusal(request: number, session: string, error: unknown): Order {
    this.#log.warn('a login came to nothing', { session, error });
    if (!(error instanceof Failure)) return { kind: 'unassigned', request, text: sorry, code: 'SYS/TEMP' };
    const { message: text, code } = error;
    return { kind: 'unassigned', request, text, ...(code !== undefined && { code }) };
  }

  /** The front is no more, and with it its clients. */
  #leave(): void {
    this.#isOver = true;
    for (const { end } of this.#sessions.values()) end('gone');
    for (const { lent } of this.#waiting.values()) lent?.destroy();
  }
}

const sorry = 'the login came to nothing, try again';
