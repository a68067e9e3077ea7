import type { Core } from '../core.ts';
import type { Maildrop } from '../maildrop/maildrop.ts';
import { makersOf } from '../maildrop/makers.ts';
import { err, isReply, ok, type Reply } from '../protocol/reply.ts';
import { answer } from './answer.ts';
import type { Ticket } from './authority.ts';
import type { Channel } from './channel.ts';
import { Deletions } from './deletions.ts';
import { dispatch } from './dispatch.ts';
import { endsWithin, Hung } from './ends-within.ts';
import { closeMaildrop, openMaildrop } from './open-maildrop.ts';
import type { Entrance, Outcome } from './outcome.ts';
import { Patience } from './patience.ts';
import { receive } from './receive.ts';
import { say } from './say.ts';
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
  // Before the maildrop is open, which takes as long as it has mail: the deadline is for strangers.
  channel.loggedIn();
  tally.loggedIn(identity.user);
  const patience = new Patience(core.settings.hookDeadlineMs);
  const around = { ...context, channel, ticket, patience };
  try {
    let place = await ownDrop(around, ({ maildrop: { count, totalOctets } }) =>
      ok(core.replies.loggedIn(identity.user, { messages: count, octets: totalOctets })),
    );
    while (place !== undefined) place = await stayIn(place, around);
  } finally {
    patience.close();
  }
}

interface Around extends Context {
  readonly channel: Channel;
  readonly ticket: Ticket;
  /** With whoever gives what is said. */
  readonly patience: Patience;
}

/** A maildrop that is open, and what is said before its first command. */
interface Place {
  readonly session: TransactionSession;
  readonly hello: Reply;
}

/** The user's own maildrop; undefined where it cannot be opened, which the client has been told then. */
async function ownDrop(
  around: Around,
  greet: (session: TransactionSession) => Reply,
): Promise<Place | undefined> {
  const { core, tally, channel, ticket } = around;
  const { facts } = channel;
  try {
    const place = await placeIn(await openMaildrop(ticket.identity, facts.signal, core), greet, around);
    tally.opened(place.session.deletions);
    return place;
  } catch (error) {
    // Nobody is there to be told, and a store that gave up for that reason has done right.
    if (facts.signal.aborted) throw error;
    tally.failed(error);
    // RFC 1939 section 4 lets the server close after this, and the caller does.
    await channel.send(answer(error, 'opening the maildrop', core, facts));
    return undefined;
  }
}

/** The session in this maildrop, which is closed where that comes to nothing. */
async function placeIn(
  maildrop: Maildrop,
  greet: (session: TransactionSession) => Reply,
  { core, channel, ticket: { identity, facts } }: Around,
): Promise<Place> {
  try {
    const deletions = new Deletions(maildrop, core.replies);
    const session = { ...channel.facts, state: 'TRANSACTION', identity, maildrop, deletions } as const;
    core.facts.restore(session, facts);
    return { session, hello: greet(session) };
  } catch (error) {
    await closeMaildrop(maildrop, identity, core);
    throw error;
  }
}

/** Talks until the client leaves the maildrop. Gives the one it goes on in, or undefined where the session is over. */
async function stayIn({ session, hello }: Place, around: Around): Promise<Place | undefined> {
  const { core, tally, channel } = around;
  const { hookDeadlineMs, updateOnAbort } = core.settings;
  let left: Left;
  let failure: Reply | undefined;
  let leftAtMs = performance.now();
  const piece = core.pluginsAtWork.began(makersOf(session.maildrop), 'maildrop');
  try {
    left = await endsWithin(talk(session, hello, around), hookDeadlineMs, channel.facts.signal);
    leftAtMs = performance.now();
    // Nobody stops waiting for this: a lock let go while mail is being removed would cost mail.
    if (left.how !== 'gone' || (updateOnAbort && isAbort(channel))) failure = await update(session, around);
  } finally {
    await closeMaildrop(session.maildrop, session.identity, core);
    core.pluginsAtWork.ended(piece);
    tally.leftWithin(performance.now() - leftAtMs);
  }
  if (left.how === 'enters') return enter(left.entrance, failure, around);
  if (left.how === 'gone') return undefined;
  tally.ended('quit');
  // After the lock is gone: a client that comes again as soon as it has read this is let in.
  await channel.send(failure ?? ok(core.replies.farewell()));
  return undefined;
}

/** Ends that the classic popper took for a QUIT; one that the operator brings about is none. */
const isAbort = ({ ending }: Channel): boolean => ending === 'disconnected' || ending === 'idle';

/** How a client left a maildrop. Only one that is gone leaves without UPDATE (RFC 1939 section 6). */
type Left = { readonly how: 'quits' | 'gone' } | { readonly how: 'enters'; readonly entrance: Entrance };

/** Goes on in another maildrop; where there is no way in, or UPDATE failed, in the user's own with the reason. */
async function enter(
  { open, hello }: Entrance,
  failure: Reply | undefined,
  around: Around,
): Promise<Place | undefined> {
  const { core, channel } = around;
  const refusal = (error: unknown): Reply => answer(error, 'entering a maildrop', core, channel.facts);
  const greet = ({ maildrop }: TransactionSession): Reply => replyOf(hello(maildrop));
  if (failure !== undefined) return ownDrop(around, () => failure);
  if (open === undefined) return ownDrop(around, (session) => unlessThrown(() => greet(session), refusal));
  try {
    return await placeIn(await openInTime(open, around), greet, around);
  } catch (error) {
    const refused = refusal(error);
    return ownDrop(around, () => refused);
  }
}

/** As a plugin opens it. One that comes when nobody waits for it any more is closed. */
async function openInTime(
  open: () => Promise<Maildrop>,
  { core, ticket, patience }: Around,
): Promise<Maildrop> {
  const opening = open();
  try {
    return await patience.for(opening);
  } catch (error) {
    if (error instanceof Hung)
      void opening.then((late) => closeMaildrop(late, ticket.identity, core)).catch(() => {});
    throw error;
  }
}

/** Plugins may be plain JavaScript. */
function replyOf(said: unknown): Reply {
  if (isReply(said)) return said;
  throw new TypeError('a maildrop is entered with a reply');
}

function unlessThrown(greet: () => Reply, instead: (error: unknown) => Reply): Reply {
  try {
    return greet();
  } catch (error) {
    return instead(error);
  }
}

async function talk(session: TransactionSession, hello: Reply, around: Around): Promise<Left> {
  const { channel, tally } = around;
  const talked = { ...around, session };
  await channel.send(hello);
  for (let line = await channel.readLine(); line !== undefined; line = await channel.readLine()) {
    const done = act(await dispatch(line, session, talked), talked);
    const left = done instanceof Promise ? await done : done;
    if (left !== undefined) return left;
    tally.waits();
  }
  return gone;
}

const gone: Left = { how: 'gone' };
const orGone = (isWhole: boolean): Left | undefined => (isWhole ? undefined : gone);

interface Talk extends Around {
  readonly session: TransactionSession;
}

/** Does what a command wants; undefined where the talk goes on in this maildrop. */
function act(outcome: Outcome, talked: Talk): Left | undefined | Promise<Left | undefined> {
  const { channel, core } = talked;
  if (outcome.kind === 'reply') {
    const said = say(outcome.reply, channel, talked);
    return said instanceof Promise ? said.then(orGone) : orGone(said);
  }
  if (outcome.kind === 'receive') return receive(channel, outcome, core);
  if (outcome.kind === 'enter') return { how: 'enters', entrance: outcome };
  return outcome.kind === 'quit' ? { how: 'quits' } : refuseLogin(channel);
}

async function refuseLogin(channel: Channel): Promise<undefined> {
  await channel.send(err('you are logged in already'));
}

/**
 * UPDATE. Undefined only when everything marked is durably gone; else what the client is told. In a maildrop that is read only a
 * mark means nothing.
 */
async function update(session: TransactionSession, { core, tally }: Context): Promise<Reply | undefined> {
  const { deletions, maildrop } = session;
  if (maildrop.readOnly === true) return undefined;
  // A copy: whatever else still marks, what goes is what was marked at QUIT.
  const deleted = new Set(deletions.marked);
  try {
    if (deleted.size > 0) {
      await core.hooks.commit.promise(deleted, session);
      await maildrop.commit(deleted);
    }
    tally.updated(deletions);
    return undefined;
  } catch (error) {
    tally.failed(error);
    return answer(error, 'UPDATE', core, session);
  }
}
