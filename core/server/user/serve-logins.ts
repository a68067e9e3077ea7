import type { Socket } from 'node:net';

import { z } from 'zod';

import { isVerdict, type Verdict } from '../../auth/login.ts';
import type { Core } from '../../core.ts';
import { Failure } from '../../protocol/failure.ts';
import { Secret } from '../../secret.ts';
import type { AuthorizationSession } from '../../session/session.ts';
import { encodeFrame, type Frame, readFrames } from './frames.ts';
import { type LoginAnswer, type LoginQuestion, loginQuestionSchema } from './login-messages.ts';
import { TicketRefused } from './ticket.ts';

type PasswordQuestion = Extract<LoginQuestion, { kind: 'password' }>;

export interface LoginServer {
  readonly core: Core;
  /** Seals the ticket of one whom a plugin lets in. Throws a TicketRefused where nobody may. */
  readonly seal: (
    identity: Granted['identity'],
    facts: Readonly<Record<string, unknown>>,
    connection: string,
  ) => string;
}

type Granted = Extract<Verdict, { kind: 'granted' }>;

/** Logins of one front that are looked at at one time; the others wait in its stream. */
const maxAtWork = 256;

/**
 * Answers a front's questions for as long as it is there. Who asks in another form than was agreed on is not listened to
 * any more. Never throws.
 */
export async function serveLogins(stream: Socket, server: LoginServer): Promise<void> {
  const logins = new Logins(stream, server);
  // 'close' follows.
  stream.on('error', () => {});
  try {
    for await (const frame of readFrames(stream)) await logins.take(frame);
  } catch (error) {
    server.core.log.error('a front talks nonsense, so it is not listened to any more', { error });
  } finally {
    logins.forget();
    stream.destroy();
  }
}

/** The questions of one front that are not answered yet. */
class Logins {
  readonly #stream: Socket;
  readonly #server: LoginServer;
  readonly #questions = z.compile(loginQuestionSchema);
  readonly #atWork = new Map<number, { readonly gone: AbortController; readonly done: Promise<void> }>();

  constructor(stream: Socket, server: LoginServer) {
    this.#stream = stream;
    this.#server = server;
  }

  async take({ message, octets }: Frame): Promise<void> {
    const question = this.#questions.parse(message);
    if (question.kind === 'gone') return this.#atWork.get(question.request)?.gone.abort();
    const password = new Secret(octets);
    octets.fill(0);
    const gone = new AbortController();
    const done = this.#answer(question, password, gone.signal);
    this.#atWork.set(question.request, { gone, done });
    if (this.#atWork.size >= maxAtWork)
      await Promise.race([...this.#atWork.values()].map((login) => login.done));
  }

  /** Nobody is there to be answered. */
  forget(): void {
    for (const { gone } of this.#atWork.values()) gone.abort();
  }

  async #answer(question: PasswordQuestion, password: Secret, signal: AbortSignal): Promise<void> {
    // Sent in the same turn in which its place is free.
    const answer = await answerTo(question, { password, signal, server: this.#server });
    password.erase();
    this.#atWork.delete(question.request);
    if (this.#stream.writable) this.#stream.write(encodeFrame(answer));
  }
}

interface Asked {
  readonly password: Secret;
  readonly signal: AbortSignal;
  readonly server: LoginServer;
}

async function answerTo(
  question: PasswordQuestion,
  { password, signal, server }: Asked,
): Promise<LoginAnswer> {
  const { request, user, session: from } = question;
  const { core, seal } = server;
  const { claimedUser, ...facts } = from;
  const session: AuthorizationSession = { ...facts, signal, state: 'AUTHORIZATION', claimedUser };
  try {
    core.facts.restore(session, question.facts);
    const verdict = await core.hooks.authenticate.promise({ method: 'password', user, password }, session);
    if (verdict === undefined) return { kind: 'unknown', request };
    if (!isVerdict(verdict))
      throw new TypeError('authenticate was answered with something that is no verdict');
    if (verdict.kind === 'denied')
      return { kind: 'denied', request, reason: verdict.reason, text: verdict.text };
    if (verdict.kind === 'unavailable') throw verdict.cause;
    const { identity } = verdict;
    return {
      kind: 'granted',
      request,
      identity,
      ticket: seal(identity, core.facts.collect(session), facts.id),
    };
  } catch (error) {
    if (error instanceof TicketRefused) return { kind: 'denied', request, reason: error.message };
    return unavailableBecause(error, request);
  }
}

/** What plugins mean for the client goes to the client; the rest to the front's log. */
function unavailableBecause(error: unknown, request: number): LoginAnswer {
  const text = error instanceof Error ? error.message : String(error);
  const forClient = error instanceof Failure;
  return {
    kind: 'unavailable',
    request,
    text,
    forClient,
    ...(forClient && error.code && { code: error.code }),
  };
}
