import type { Core } from '../core.ts';
import { err, type Reply } from '../protocol/reply.ts';
import type { Channel } from './channel.ts';

/** Goes on over TLS. False where that comes to nothing, which the log is told: the connection is at its end then. */
export async function startTls(channel: Channel, go: Reply, core: Core): Promise<boolean> {
  const reason = await channel.startTls(go);
  if (reason !== undefined) tellNoTls(channel, reason, core);
  return reason === undefined;
}

/** What a channel answers in place of `go` to a client that has said more than STLS, and it is its last word. */
export const tooEager = err('nothing may follow STLS before it is answered');

/** Clients that end here are mostly not malicious but mistaken: their operator looks for the reason in the log. */
export function tellNoTls({ facts }: Pick<Channel, 'facts'>, reason: string, { log }: Core): void {
  log.info('no TLS handshake', { session: facts.id, address: facts.peer.address, reason });
}
