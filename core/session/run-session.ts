import type { Core } from '../core.ts';
import type { Authority } from './authority.ts';
import { authorize } from './authorize.ts';
import type { Channel } from './channel.ts';
import { SessionTally } from './session-tally.ts';
import { traced } from './traced-channel.ts';

/**
 * One POP3 session, greeting to goodbye. It is two functions because it has two sets of rights: `authorize` talks to
 * strangers and may touch no mail; `transact` touches one user's mail and may be another process. Never throws.
 */
export async function runSession(socket: Channel, core: Core, authority: Authority): Promise<void> {
  const tally = new SessionTally();
  const channel = core.hooks.wire.isUsed() ? traced(socket, core) : socket;
  try {
    const ticket = await authorize(channel, { core, authority, tally });
    if (ticket !== undefined) await authority.transact(channel, ticket, tally);
  } catch (error) {
    // What breaks because the client is gone is not broken.
    if (!channel.facts.signal.aborted) {
      tally.ended('failed');
      core.log.error('the session failed', { session: channel.facts.id, error });
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
