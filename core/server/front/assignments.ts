import type { Socket } from 'node:net';

import { Failure } from '../../protocol/failure.ts';
import type { Order } from '../ipc/messages.ts';
import type { CarriedConnectionFacts } from '../user/connection-facts.ts';
import { type Assigned, OutOfReach } from '../user/user-authority.ts';
import type { Superior } from './superior.ts';

type OrderOf<Kind extends Order['kind']> = Extract<Order, { kind: Kind }>;
type Outcome = Awaited<Assigned['outcome']>;

interface Asked {
  readonly resolve: (stream: Socket) => void;
  readonly reject: (failure: Failure) => void;
  /** Nobody will answer. */
  readonly forget: () => void;
}

/** The sessions of this front that workers run, and those for which one is asked. */
export class Assignments {
  readonly #master: Superior;
  readonly #asked = new Map<number, Asked>();
  readonly #outcomes = new Map<string, (outcome: Outcome) => void>();
  readonly #stalled = new Map<string, (forMs: number) => void>();
  #requests = 0;
  #isAlone = false;

  constructor(master: Superior) {
    this.#master = master;
    void master.gone.then(() => this.#forgetAll());
  }

  /**
   * Asks the master for a worker, which gets the connection that is `lent`, or else a stream. Throws a Failure, in words for
   * the client, where there is none in time; of a connection that was lent, its outcome tells that.
   */
  async assign(ticket: string, facts: CarriedConnectionFacts, lent?: Socket): Promise<Assigned> {
    if (this.#isAlone) throw lost();
    this.#requests += 1;
    const request = this.#requests;
    const end: Assigned['end'] = (how) => void this.#master.tell({ kind: 'end', session: facts.id, how });
    const whenStalled: Assigned['whenStalled'] = (tell) => {
      if (this.#outcomes.has(facts.id)) this.#stalled.set(facts.id, tell);
    };
    const { promise: outcome, resolve, reject } = Promise.withResolvers<Outcome>();
    const answer = Promise.withResolvers<Socket>();
    this.#outcomes.set(facts.id, resolve);
    const refuse = (error: Error): void => {
      this.#outcomes.delete(facts.id);
      this.#stalled.delete(facts.id);
      (lent === undefined ? answer.reject : reject)(error);
    };
    this.#asked.set(request, {
      resolve: answer.resolve,
      reject: refuse,
      forget: () => refuse(lent === undefined ? lost() : new OutOfReach()),
    });
    void this.#master.tell({ kind: 'assign', request, ticket, facts, lends: lent !== undefined }, lent);
    if (lent === undefined) {
      const stream = await answer.promise.finally(() => this.#asked.delete(request));
      return { stream, outcome, end, whenStalled };
    }
    const settled = outcome.finally(() => this.#asked.delete(request));
    return { stream: undefined, outcome: settled, end, whenStalled };
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

  stalled({ session, forMs }: OrderOf<'stalled'>): void {
    this.#stalled.get(session)?.(forMs);
  }

  ended({ session, outcome }: OrderOf<'ended'>): void {
    this.#outcomes.get(session)?.(outcome);
    this.#outcomes.delete(session);
    this.#stalled.delete(session);
  }

  /** Without the master nothing is heard of workers any more. */
  #forgetAll(): void {
    this.#isAlone = true;
    for (const { forget } of this.#asked.values()) forget();
    for (const resolve of this.#outcomes.values()) resolve(undefined);
    this.#outcomes.clear();
    this.#stalled.clear();
  }
}

const lost = (): Failure => new Failure('the login came to nothing, try again', { code: 'SYS/TEMP' });
