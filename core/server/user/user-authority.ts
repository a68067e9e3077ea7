import type { Socket } from 'node:net';

import type { Identity } from '../../auth/login.ts';
import type { Core } from '../../core.ts';
import { answer } from '../../session/answer.ts';
import type { Authority } from '../../session/authority.ts';
import type { SessionOutcome, SessionTally } from '../../session/session-tally.ts';
import type { SocketChannel } from '../channel.ts';
import { type CarriedConnectionFacts, carried } from './connection-facts.ts';
import type { LoginClient } from './login-client.ts';
import { relay } from './relay.ts';

/** What a session came to in a worker. */
export interface WorkerOutcome extends SessionOutcome {
  /** The client was left in the middle of a reply. */
  readonly isTorn: boolean;
  /** Octets that the worker has moved on the client's own connection. */
  readonly received: number;
  readonly sent: number;
}

/** A session that a worker runs, as its front sees it. */
export interface Assigned {
  /** To the worker: plain octets. Undefined where it has the client's connection. */
  readonly stream: Socket | undefined;
  /**
   * What the session came to; undefined where the worker died before it could say. Where a connection was lent it rejects with
   * a Failure, in words for the client, when no worker has got it, and with OutOfReach when nobody can tell.
   */
  readonly outcome: Promise<WorkerOutcome | undefined>;
  /** Ends it: after the command at work, or at once where the client is gone. */
  readonly end: (how: 'stopped' | 'kicked' | 'gone') => void;
  /** `tell` is called each time it is heard for how many milliseconds the client has read nothing; 0 when it reads again. */
  readonly whenStalled: (tell: (forMs: number) => void) => void;
}

/** The master is gone. A worker may have the connection that was lent, and be in the middle of a word. */
export class OutOfReach extends Error {
  constructor() {
    super('the process is gone that tells what the session came to');
  }
}

export interface UserAuthorityOptions {
  readonly core: Core;
  readonly logins: Pick<LoginClient, 'decide'>;
  /**
   * Asks the master for a worker, which gets the connection that is `lent`, or else a stream. Throws a Failure, in words for
   * the client, where there is none in time.
   */
  readonly assign: (ticket: string, facts: CarriedConnectionFacts, lent?: Socket) => Promise<Assigned>;
  /** The connection of a session of this front. */
  readonly channelOf: (session: string) => SocketChannel | undefined;
}

/** How much longer than its worker a front waits for a silent client, in milliseconds. */
const silenceMarginMs = 5000;
/** What a worker has said before its session was ended is on its way for so long, in milliseconds: most have waited for their readers already. */
const transitMs = 1000;

/** A front's, with `isolation: 'user'`: the auth process checks passwords, and a worker that is the user runs the session. */
export function userAuthority({ core, logins, assign, channelOf }: UserAuthorityOptions): Authority {
  /** Each sealed ticket by the identity that came with it, which alone is handed through the session. */
  const tickets = new WeakMap<Identity, string>();
  return {
    async authenticate(attempt, session) {
      const { verdict, ticket } = await logins.decide(attempt, session, core.facts.collect(session));
      if (verdict?.kind === 'granted' && ticket !== undefined) tickets.set(verdict.identity, ticket);
      return verdict;
    },
    async transact(channel, { identity }, tally) {
      const { facts } = channel;
      tally.loggedIn(identity.user);
      const ticket = tickets.get(identity);
      const connection = channelOf(facts.id);
      if (ticket === undefined || connection === undefined)
        throw new TypeError('nobody has let this client in');
      try {
        const assigning = (lent?: Socket): Promise<Assigned> => assign(ticket, carried(facts), lent);
        const cameTo = await runElsewhere(connection, tally, { assign: assigning, core });
        if (cameTo === undefined) tally.failed(new Error('the process of this session has died'));
        else tally.adopt(cameTo);
        if (cameTo?.isTorn ?? true) connection.tear();
      } catch (error) {
        tally.failed(error);
        if (error instanceof OutOfReach) return;
        await channel.send(answer(error, 'finding a process for the session', core, facts));
      }
    },
  };
}

interface Elsewhere {
  readonly core: Core;
  readonly assign: (lent?: Socket) => Promise<Assigned>;
}

/** The worker gets the connection itself where that can travel; else what is said goes through this process. */
async function runElsewhere(
  channel: SocketChannel,
  tally: SessionTally,
  { core, assign }: Elsewhere,
): Promise<WorkerOutcome | undefined> {
  const { signal } = channel.facts;
  const end: Assigned['end'] = (how) => void assigning.then((assigned) => assigned.end(how), noOp);
  const lent = channel.lend(end);
  const assigning = assign(lent);
  const gone = (): void => end('gone');
  signal.addEventListener('abort', gone, { once: true });
  let cameTo: WorkerOutcome | undefined;
  let linger: NodeJS.Timeout | undefined;
  const waitNoLonger = (over: WorkerOutcome | undefined): void => {
    // Whether it reads what the relay still has, nobody tells any more.
    channel.stalledElsewhere(0);
    if (!isPatient(over)) linger = setTimeout(() => channel.destroy(), transitMs);
  };
  try {
    const { stream, outcome, whenStalled } = await assigning;
    tally.handedOver();
    whenStalled((forMs) => channel.stalledElsewhere(forMs));
    const silenceMs = core.settings.idleTimeoutMs + silenceMarginMs;
    if (stream !== undefined) {
      void outcome.then(waitNoLonger, noOp);
      await channel.handOver(end, async (handedOver) => {
        await relay(handedOver, stream, { silenceMs });
        await outcome;
      });
    }
    cameTo = await outcome;
    return cameTo;
  } catch (error) {
    if (error instanceof OutOfReach) channel.letGo();
    throw error;
  } finally {
    clearTimeout(linger);
    signal.removeEventListener('abort', gone);
    if (lent !== undefined) channel.takeBack(cameTo ?? nothingMoved);
  }
}

/**
 * Whether the client may take the last answers in its own time: where it has ended the session itself, and UPDATE may have removed
 * what it has not read yet, or the last answer says what went wrong. One whose session was ended may have left long ago; of a
 * worker that nothing is heard of nobody knows whether it still speaks.
 */
function isPatient(outcome: WorkerOutcome | undefined): boolean {
  if (outcome === undefined) return true;
  const { ending, isTorn } = outcome;
  return ending === 'quit' || ending === 'disconnected' || (ending === 'failed' && !isTorn);
}

const noOp = (): void => {};
const nothingMoved = { received: 0, sent: 0 };
