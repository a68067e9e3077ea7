import type { Core } from '../core.ts';
import { makersOf } from '../maildrop/makers.ts';
import type { Reply } from '../protocol/reply.ts';
import { TornMessage } from '../protocol/torn-message.ts';
import type { Channel, SentReply } from './channel.ts';
import { Hung } from './ends-within.ts';
import type { Patience } from './patience.ts';
import type { SessionTally } from './session-tally.ts';
import type { TransactionSession } from './session.ts';

interface Talk {
  readonly core: Core;
  readonly tally: SessionTally;
  readonly session: TransactionSession;
  readonly patience: Patience;
}

/** False where the client was left with half a message, which only the end of the connection can tell it. */
export function say(reply: Reply, channel: Channel, said: Talk): boolean | Promise<boolean> {
  try {
    const sent = send(reply, channel, said.patience);
    return sent instanceof Promise ? saidLater(reply, sent, said) : saidWhole(reply, sent, said);
  } catch (error) {
    return saidHalf(error, said);
  }
}

async function saidLater(reply: Reply, sent: Promise<SentReply>, said: Talk): Promise<boolean> {
  try {
    return saidWhole(reply, await sent, said);
  } catch (error) {
    return saidHalf(error, said);
  }
}

function saidWhole(reply: Reply, { bodyOctets }: SentReply, said: Talk): true {
  // Whoever has left in the middle, or was not sent it any more, has not retrieved it.
  if (!('body' in reply) || bodyOctets === undefined) return true;
  if (reply.promisedOctets === undefined) {
    said.tally.topped(bodyOctets);
    return true;
  }
  said.tally.retrieved(bodyOctets);
  // More than was promised is nothing lost, and the dot says where it ends.
  if (bodyOctets !== reply.promisedOctets) blameStore(said, reply.promisedOctets, bodyOctets);
  return true;
}

function saidHalf(error: unknown, said: Talk): false {
  if (error instanceof TornMessage) blameStore(said, error.promisedOctets, error.sentOctets);
  else if (error instanceof Hung) blameForHanging(said, error);
  else throw error;
  said.tally.failed(error);
  return false;
}

function send(reply: Reply, channel: Channel, patience: Patience): SentReply | Promise<SentReply> {
  if ('body' in reply) return patience.whileSending(reply.body, (body) => channel.send({ ...reply, body }));
  if (!('lines' in reply) || !(Symbol.asyncIterator in reply.lines)) return channel.send(reply);
  return patience.whileSending(reply.lines, (lines) => channel.send({ ...reply, lines }));
}

function blameStore({ core, session }: Talk, promised: number | undefined, sent: number): void {
  const plugin = makersOf(session.maildrop);
  core.log.error('the store promised another size', { session: session.id, plugin, promised, sent });
}

function blameForHanging({ core, session, tally }: Talk, error: Hung): void {
  const plugin = makersOf(session.maildrop);
  const { command } = tally.progress();
  core.log.error('a plugin hangs', { session: session.id, plugin, command, error });
}
