import { isVerdict, type LoginAttempt, type Verdict, denied, unavailable } from '../auth/login.ts';
import { allowedName } from '../auth/user-name.ts';
import type { Core } from '../core.ts';
import { Failure } from '../protocol/failure.ts';
import { err, ok, type Reply } from '../protocol/reply.ts';
import type { Authority, Ticket } from './authority.ts';
import type { Channel } from './channel.ts';
import { dispatch } from './dispatch.ts';
import type { Outcome } from './outcome.ts';
import { passwordRefusal } from './password-rule.ts';
import type { SessionTally } from './session-tally.ts';
import type { AuthorizationSession } from './session.ts';
import { startTls } from './start-tls.ts';
import { welcome } from './welcome.ts';

interface Context {
  readonly core: Core;
  readonly authority: Authority;
  readonly tally: SessionTally;
}

/**
 * The AUTHORIZATION state (RFC 1939 section 4): talks until the client has proved who it is. Leaves the last login
 * command unanswered, because its answer depends on the maildrop, which is opened with other rights.
 */
export async function authorize(channel: Channel, context: Context): Promise<Ticket | undefined> {
  const { core, tally } = context;
  const claim: { user: string | undefined } = { user: undefined };
  let session = sessionOf(channel, claim);
  const early = await welcome(channel, session, context);
  if (early !== 'talk') return early;

  let failures = 0;
  for (let line = await channel.readLine(); line !== undefined; line = await channel.readLine()) {
    const outcome = await dispatch(line, session, context);
    noteProbe(outcome, session, core);
    claim.user = claimedBy(outcome);
    if (outcome.kind === 'startTls') {
      if (!(await startTls(channel, outcome.go, core))) return undefined;
      // What plugins know by the session is forgotten with it (RFC 2595 section 4).
      session = sessionOf(channel, claim);
      tally.waits();
      continue;
    }
    if (outcome.kind !== 'login') {
      await channel.send(sayTo(outcome, core));
      if (outcome.kind === 'quit') return tally.ended('quit');
      tally.waits();
      continue;
    }
    const verdict = await decide(outcome.attempt, session, context);
    if (verdict.kind === 'granted') {
      return { identity: verdict.identity, facts: core.facts.collect(session) };
    }
    await channel.send(refusal(verdict, outcome.attempt, core));
    if (verdict.kind === 'denied') failures += 1;
    if (failures >= core.settings.maxAuthFailures) return tally.ended('refused');
    tally.waits();
  }
  return undefined;
}

function sessionOf(channel: Channel, claim: { readonly user: string | undefined }): AuthorizationSession {
  return {
    ...channel.facts,
    state: 'AUTHORIZATION',
    get claimedUser() {
      return claim.user;
    },
  };
}

/** RFC 1939 section 7: a claim holds for the one command after it. */
const claimedBy = (outcome: Outcome): string | undefined =>
  outcome.kind === 'claim' ? outcome.user : undefined;

/** Whoever names a user and leaves may want to know who is here. */
function noteProbe({ kind }: Outcome, session: AuthorizationSession, { log }: Core): void {
  const { id, peer, claimedUser } = session;
  if (kind !== 'quit' || claimedUser === undefined) return;
  log.debug('left after USER', { session: id, address: peer.address, user: claimedUser });
}

function sayTo(outcome: Exclude<Outcome, { kind: 'login' | 'startTls' }>, { replies }: Core): Reply {
  if (outcome.kind === 'reply') return outcome.reply;
  if (outcome.kind === 'claim') return ok(replies.passwordWanted(outcome.user));
  return outcome.kind === 'quit' ? ok(replies.farewell()) : err('log in first');
}

/** Asks who knows the user. Whatever goes wrong on the way, nobody gets in. */
async function decide(
  attempt: LoginAttempt,
  session: AuthorizationSession,
  { core, authority, tally }: Context,
): Promise<Verdict> {
  const verdict = await verdictOn(attempt, session, { core, authority });
  // A method of a plugin's may have another proof.
  if ('password' in attempt) attempt.password.erase();
  const { user } = attempt;
  if (verdict.kind === 'unavailable') {
    core.log.error('authenticate failed', { session: session.id, user, error: verdict.cause });
  }
  if (verdict.kind === 'denied') {
    tally.loginRefused();
    const { id, peer } = session;
    core.log.warn('login refused', { session: id, address: peer.address, user, reason: verdict.reason });
    await core.hooks.refused.promise(user, session).catch((error: unknown) => {
      core.log.error('refused failed', { session: id, error });
    });
  }
  return verdict;
}

async function verdictOn(
  attempt: LoginAttempt,
  session: AuthorizationSession,
  { core, authority }: Pick<Context, 'core' | 'authority'>,
): Promise<Verdict> {
  // Commands refuse before a password is sent; here it has been, by a plugin's command that did not.
  if (attempt.method === 'password' && passwordRefusal(session, core.settings) !== undefined)
    return denied('a password without TLS, which cleartextLogin rules out');
  if (!allowedName(attempt.user)) return denied('a name that no user may have');
  try {
    const verdict = await authority.authenticate(attempt, session);
    if (verdict === undefined) return denied('no authenticator knows the user');
    if (isVerdict(verdict)) return verdict;
    return unavailable(
      new TypeError(
        'authenticate was answered with something that granted(), denied() or unavailable() did not make',
      ),
    );
  } catch (error) {
    return unavailable(error);
  }
}

/** One answer for "no such user" and "wrong password", so that a guesser learns nothing (RFC 1939 section 13). */
function refusal(verdict: Verdict, { user }: LoginAttempt, { replies }: Core): Reply {
  if (verdict.kind === 'unavailable' && verdict.cause instanceof Failure) {
    return err(verdict.cause.message, verdict.cause.code);
  }
  if (verdict.kind === 'unavailable')
    return err('the login cannot be checked now, try again later', 'SYS/TEMP');
  const own = verdict.kind === 'denied' ? verdict.text : undefined;
  return err(own ?? replies.loginRefused(user), 'AUTH');
}
