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

/** A session that a worker runs, as its front sees it. */
export interface Assigned {
  /** To the worker: plain octets. */
  readonly stream: Socket;
  /**
   * What the session came to, and whether its client was left in the middle of a reply; undefined where the worker died
   * before it could say.
   */
  readonly outcome: Promise<(SessionOutcome & { readonly isTorn: boolean }) | undefined>;
  /** Ends it: after the command at work, or at once where the client is gone. */
  readonly end: (how: 'stopped' | 'kicked' | 'gone') => void;
}

export interface UserAuthorityOptions {
  readonly core: Core;
  readonly logins: Pick<LoginClient, 'decide'>;
  /** Asks the master for a worker. Throws a Failure, in words for the client, where there is none in time. */
  readonly assign: (ticket: string, facts: CarriedConnectionFacts) => Promise<Assigned>;
  /** The connection of a session of this front. */
  readonly channelOf: (session: string) => SocketChannel | undefined;
}

/** How much longer than its worker a front waits for a silent client, in milliseconds. */
const silenceMarginMs = 5000;

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
        await runElsewhere(connection, tally, { assigned: await assign(ticket, carried(facts)), core });
      } catch (error) {
        tally.failed(error);
        await channel.send(answer(error, 'finding a process for the session', core, facts));
      }
    },
  };
}

interface Elsewhere {
  readonly core: Core;
  readonly assigned: Assigned;
}

async function runElsewhere(
  channel: SocketChannel,
  tally: SessionTally,
  { core, assigned }: Elsewhere,
): Promise<void> {
  const { stream, outcome, end } = assigned;
  const { signal } = channel.facts;
  const silenceMs = core.settings.idleTimeoutMs + silenceMarginMs;
  const gone = (): void => end('gone');
  signal.addEventListener('abort', gone, { once: true });
  tally.handedOver();
  await relay(await channel.release(end), stream, { silenceMs });
  signal.removeEventListener('abort', gone);
  const cameTo = await outcome;
  if (cameTo === undefined) tally.failed(new Error('the process of this session has died'));
  else tally.adopt(cameTo);
  if (cameTo?.isTorn ?? true) channel.tear();
}
