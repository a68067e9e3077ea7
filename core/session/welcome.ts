import type { Core } from '../core.ts';
import { err, ok } from '../protocol/reply.ts';
import { answer } from './answer.ts';
import type { Ticket } from './authority.ts';
import type { Channel } from './channel.ts';
import type { SessionTally } from './session-tally.ts';
import type { AuthorizationSession } from './session.ts';

/**
 * Before the first command: who may connect at all (`connect`), who speaks before the greeting (`preface`), and the
 * greeting itself. Answers with a ticket where the preface was the login, or with undefined where the client is sent
 * away.
 */
export async function welcome(
  channel: Channel,
  session: AuthorizationSession,
  context: Context,
): Promise<'talk' | Ticket | undefined> {
  try {
    return await receive(channel, session, context);
  } catch (error) {
    // Whoever was to say if the client may come in has not said so.
    await channel.send(answer(error, 'welcoming a client', context.core, session));
    return context.tally.failed(error);
  }
}

interface Context {
  readonly core: Core;
  readonly tally: SessionTally;
}

async function receive(
  channel: Channel,
  session: AuthorizationSession,
  { core, tally }: Context,
): Promise<'talk' | Ticket | undefined> {
  const unwanted = await core.hooks.connect.promise(channel.facts.peer);
  if (unwanted !== undefined) {
    await channel.send(err(unwanted.text, unwanted.code));
    return tally.refused(unwanted);
  }
  const preface = core.hooks.preface.isUsed() ? await core.hooks.preface.promise(channel) : undefined;
  if (preface !== undefined && 'text' in preface) {
    await channel.send(err(preface.text, preface.code));
    return tally.refused(preface);
  }
  if (preface !== undefined) return { identity: preface, facts: core.facts.collect(session) };
  await channel.send(ok(core.hooks.greeting.call(core.replies.greeting(), session)));
  return 'talk';
}
