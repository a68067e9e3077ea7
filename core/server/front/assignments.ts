import type { Socket } from 'node:net';

import { Failure } from '../../protocol/failure.ts';
import type { Order } from '../ipc/messages.ts';
import type { CarriedConnectionFacts } from '../user/connection-facts.ts';
import type { Assigned } from '../user/user-authority.ts';
import type { Superior } from './superior.ts';

type OrderOf<Kind extends Order['kind']> = Extract<Order, { kind: Kind }>;
type Outcome = Awaited<Assigned['outcome']>;

/** The sessions of this front that workers run, and those for which one is asked. */
export class Assignments {
  readonly #master: Superior;
  readonly #asked = new Map<number, PromiseWithResolvers<Socket>>();
  readonly #outcomes = new Map<string, (outcome: Outcome) => void>();
  #requests = 0;

  constructor(master: Superior) {
    this.#master = master;
    void master.gone.then(() => this.#forgetAll());
  }

  /** Asks the master for a worker. Throws a Failure, in words for the client, where there is none in time. */
  async assign(ticket: string, facts: CarriedConnectionFacts): Promise<Assigned> {
    this.#requests += 1;
    const request = this.#requests;
    const answer = Promise.withResolvers<Socket>();
    const outcome = new Promise<Outcome>((resolve) => this.#outcomes.set(facts.id, resolve));
    this.#asked.set(request, answer);
    await this.#master.tell({ kind: 'assign', request, ticket, facts });
    try {
      const stream = await answer.promise;
      return {
        stream,
        outcome,
        end: (how) => void this.#master.tell({ kind: 'end', session: facts.id, how }),
      };
    } catch (error) {
      this.#outcomes.delete(facts.id);
      throw error;
    } finally {
      this.#asked.delete(request);
    }
  }

  assigned({ request }: OrderOf<'assigned'>, stream: Socket | undefined): void {
    const asked = this.#asked.get(request);
    if (asked !== undefined && stream !== undefined) return asked.resolve(stream);
    stream?.destroy();
    asked?.reject(lost());
  }

  unassigned({ request, text, code }: OrderOf<'unassigned'>): void {
    this.#asked.get(request)?.reject(new Failure(text, code && { code }));
  }

  ended({ session, outcome }: OrderOf<'ended'>): void {
    this.#outcomes.get(session)?.(outcome);
    this.#outcomes.delete(session);
  }

  /** Without the master nothing is heard of workers any more. */
  #forgetAll(): void {
    for (const { reject } of this.#asked.values()) reject(lost());
    for (const resolve of this.#outcomes.values()) resolve(undefined);
    this.#outcomes.clear();
  }
}

const lost = (): Failure => new Failure('the login came to nothing, try again', { code: 'SYS/TEMP' });
