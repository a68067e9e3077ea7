import type { Core } from '../core.ts';
import { counted } from '../counted.ts';
import { makersOf } from '../maildrop/makers.ts';
import { err, isReply, ok, type Reply } from '../protocol/reply.ts';
import { TornMessage } from '../protocol/torn-message.ts';
import { answer } from './answer.ts';
import type { Ticket } from './authority.ts';
import type { Channel, SentReply } from './channel.ts';
import { Deletions } from './deletions.ts';
import { dispatch } from './dispatch.ts';
import { endsWithin, Hung } from './ends-within.ts';
import { closeMaildrop, openMaildrop } from './open-maildrop.ts';
import type { Take } from './outcome.ts';
import { Patience } from './patience.ts';
import type { SessionTally } from './session-tally.ts';
import type { TransactionSession } from './session.ts';

interface Context {
  readonly core: Core;
  readonly tally: SessionTally;
}

/**
 * TRANSACTION, then UPDATE (RFC 1939 sections 5 and 6). Needs nothing from `authorize` but the ticket, so it runs in
 * the same process or in one that has the user's uid, and cannot tell which.
 */
export async function transact(channel: Channel, ticket: Ticket, context: Context): Promise<void> {
  const { core, tally } = context;
  const { identity } = ticket;
  const { signal } = channel.facts;
  // Before the maildrop is open, which takes as long as it has mail: the deadline is for strangers.
  channel.loggedIn();
  tally.loggedIn(identity.user);
  let session: TransactionSession;
  try {
    session = await startSession(channel, ticket, context);
  } catch (error) {
    // Nobody is there to be told, and a store that gave up for that reason has done right.
    if (signal.aborted) throw error;
    tally.failed(error);
    // RFC 1939 section 4 lets the server close after this, and the caller does.
    return void (await channel.send(answer(error, 'opening the maildrop', core, channel.facts)));
  }
  const patience = new Patience(core.settings.hookDeadlineMs);
  let parting: Reply | undefined;
  try {
    const talking = talk(channel, { ...context, session, patience });
    const quits = await endsWithin(talking, core.settings.hookDeadlineMs, signal);
    // Nobody stops waiting for this: a lock let go while mail is being removed would cost mail.
    if (quits) parting = await update(session, context);
  } finally {
    patience.close();
    await closeMaildrop(session.maildrop, identity, core);
  }
  // After the lock is gone: a client that comes again as soon as it has read this is let in.
  if (parting !== undefined) await channel.send(parting);
}

async function startSession(
  channel: Channel,
  { identity, facts }: Ticket,
  { core, tally }: Context,
): Promise<TransactionSession> {
  const maildrop = await openMaildrop(identity, channel.facts.signal, core);
  const deletions = new Deletions(maildrop);
  tally.opened(deletions);
  const session = { ...channel.facts, state: 'TRANSACTION', identity, maildrop, deletions } as const;
  try {
    core.facts.restore(session, facts);
  } catch (error) {
    await closeMaildrop(maildrop, identity, core);
    throw error;
  }
  return session;
}

/** Talks until QUIT. False where the session ends without, so that nothing is removed (RFC 1939 section 6). */
async function talk(channel: Channel, talked: Talk): Promise<boolean> {
  const { session, core, tally } = talked;
  const { count, totalOctets } = session.maildrop;
  await channel.send(ok(`maildrop has ${counted(count, 'message')} (${counted(totalOctets, 'octet')})`));
  for (let line = await channel.readLine(); line !== undefined; line = await channel.readLine()) {
    const outcome = await dispatch(line, session, talked);
    switch (outcome.kind) {
      case 'reply': {
        const said = say(outcome.reply, channel, talked);
        if (said instanceof Promise && !(await said)) return false;
        break;
      }
      case 'receive':
        await receive(channel, outcome, core);
        break;
      case 'quit':
        return true;
      case 'claim':
      case 'login':
      case 'startTls':
        await channel.send(err('you are logged in already'));
        break;
    }
    tally.waits();
  }
  return false;
}

interface Talk extends Context {
  readonly session: TransactionSession;
  /** With whoever gives what is said. */
  readonly patience: Patience;
}

/** False where the client was left with half a message, which only the end of the connection can tell it. */
function say(reply: Reply, channel: Channel, said: Talk): true | Promise<boolean> {
  const sent = send(reply, channel, said.patience);
  return sent instanceof Promise ? saidWhole(reply, sent, said) : true;
}

async function saidWhole(reply: Reply, sent: Promise<SentReply>, said: Talk): Promise<boolean> {
  try {
    const { bodyOctets } = await sent;
    // Whoever has left in the middle has not retrieved it.
    if (!('promisedOctets' in reply) || bodyOctets === undefined) return true;
    said.tally.retrieved(bodyOctets);
    // More than was promised is nothing lost, and the dot says where it ends.
    if (bodyOctets !== reply.promisedOctets) blameStore(said, reply.promisedOctets, bodyOctets);
    return true;
  } catch (error) {
    if (error instanceof TornMessage) blameStore(said, error.promisedOctets, error.sentOctets);
    else if (error instanceof Hung) blameForHanging(said, error);
    else throw error;
    said.tally.failed(error);
    return false;
  }
}

const send = (reply: Reply, channel: Channel, patience: Patience): SentReply | Promise<SentReply> =>
  'body' in reply
    ? patience.whileSending(reply.body, (body) => channel.send({ ...reply, body }))
    : channel.send(reply);

function blameStore({ core, session }: Talk, promised: number | undefined, sent: number): void {
  const plugin = makersOf(session.maildrop);
  core.log.error('the store promised another size', { session: session.id, plugin, promised, sent });
}

function blameForHanging({ core, session, tally }: Talk, error: Hung): void {
  const plugin = makersOf(session.maildrop);
  const { command } = tally.progress();
  core.log.error('a plugin hangs', { session: session.id, plugin, command, error });
}

async function receive(
  channel: Channel,
  { go, take }: { readonly go: Reply; readonly take: Take },
  core: Core,
): Promise<void> {
  await channel.send(go);
  const lines = channel.readBody()[Symbol.asyncIterator]();
  // It has no `return`, so a taker that leaves its loop early does not end the iterator under us.
  const body = { [Symbol.asyncIterator]: () => ({ next: () => lines.next() }) };
  const reply = await taken(take, body).catch((error: unknown) =>
    answer(error, 'receiving a message', core, channel.facts),
  );
  await drain(lines);
  await channel.send(reply);
}

async function drain(lines: AsyncIterator<Uint8Array>): Promise<void> {
  try {
    for (let rest = await lines.next(); rest.done !== true;) rest = await lines.next();
  } catch {
    // The client left in the middle, and the channel's next line will say so.
  }
}

/** Plugins may be plain JavaScript: what throws at once, or answers with no reply, fails as the rest does. */
async function taken(take: Take, body: AsyncIterable<Uint8Array>): Promise<Reply> {
  const reply = await take(body);
  if (isReply(reply)) return reply;
  throw new TypeError('a message that was received is to be answered with a reply');
}

/** UPDATE. The reply is the truth: +OK only when everything marked is durably gone. */
async function update(session: TransactionSession, { core, tally }: Context): Promise<Reply> {
  const { deletions, maildrop } = session;
  const deleted = deletions.marked;
  try {
    if (deleted.size > 0) {
      await core.hooks.commit.promise(deleted, session);
      await maildrop.commit(deleted);
    }
    tally.updated(deletions);
    tally.ended('quit');
    return ok('bye');
  } catch (error) {
    tally.failed(error);
    return answer(error, 'UPDATE', core, session);
  }
}
