import type { Core } from '../core.ts';
import type { Authority } from './authority.ts';
import { authorize } from './authorize.ts';
import type { Channel } from './channel.ts';
import { endsWithin, Hung } from './ends-within.ts';
import { SessionTally } from './session-tally.ts';
import { traced } from './traced-channel.ts';

/**
 * One POP3 session, greeting to goodbye. It is two functions because it has two sets of rights: `authorize` talks to
 * strangers and may touch no mail; `transact` touches one user's mail and may be another process. Never throws. Through
 * the tally it can be watched.
 */
export async function runSession(
  socket: Channel,
  core: Core,
  authority: Authority,
  tally = new SessionTally(),
): Promise<void> {
  const channel = core.hooks.wire.isUsed() ? traced(socket, core, tally) : socket;
  const { id, signal, peer } = channel.facts;
  const { address } = peer;
  core.log.debug('connected', { session: id, address });
  try {
    const stranger = authorize(channel, { core, authority, tally });
    const ticket = await endsWithin(stranger, core.settings.hookDeadlineMs, signal);
    // A maildrop is not opened for a client that has left while its password was looked at, or while we stop.
    if (ticket !== undefined && channel.ending === undefined) {
      core.log.debug('logged in', { session: id, address, user: ticket.identity.user });
      await authority.transact(channel, ticket, tally);
    }
  } catch (error) {
    if (error instanceof Hung) core.log.error('a plugin hangs', { session: id, error });
    // What breaks because the client is gone is not broken.
    else if (!signal.aborted) {
      tally.failed(error);
      core.log.error('the session failed', { session: id, error });
    }
  } finally {
    await end(tally, channel, core);
  }
}

async function end(tally: SessionTally, channel: Channel, core: Core): Promise<void> {
  const report = tally.report(channel);
  const { id, peer, durationMs, ...rest } = report;
  core.log.info('session', { session: id, address: peer.address, ...rest, durationMs });
  await core.hooks.sessionEnd.promise(report).catch((error: unknown) => {
    core.log.error('sessionEnd failed', { session: id, error });
  });
}
