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

/** Gets one front its workers. What the front says of a session is believed of its own sessions only. */
export class FrontDesk {
  readonly #front: Child;
  readonly #pool: WorkerPool;
  readonly #log: Logger;
  readonly #sessions = new Map<string, Assigned>();
  #isOver = false;

  constructor(front: Child, { pool, log }: FrontDeskOptions) {
    this.#front = front;
    this.#pool = pool;
    this.#log = log;
    void front.ended.then(() => this.#leave());
  }

  hear(report: Report): void {
    if (report.kind === 'assign') void this.#assign(report);
    if (report.kind === 'end') this.#sessions.get(report.session)?.end(report.how);
  }

  async #assign({ request, ticket, facts }: ReportOf<'assign'>): Promise<void> {
    const session = facts.id;
    try {
      // Ids of sessions begin with the process that has made them: it cannot end another's.
      if (!session.startsWith(`${this.#front.pid}-`))
        throw new TicketRefused(`${session} is another's session`);
      const assigned = await this.#pool.assign(ticket, facts);
      this.#sessions.set(session, assigned);
      void this.#tellEnd(session, assigned);
      if (this.#isOver) assigned.end('gone');
      await this.#front.give({ kind: 'assigned', request }, assigned.stream);
    } catch (error) {
      this.#front.send(this.#refusal(request, session, error));
    }
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
  }
}

const sorry = 'the login came to nothing, try again';
