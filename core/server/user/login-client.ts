import type { Socket } from 'node:net';

import { z } from 'zod';

import { denied, granted, type LoginAttempt, type Verdict, unavailable } from '../../auth/login.ts';
import { Failure } from '../../protocol/failure.ts';
import type { AuthorizationSession } from '../../session/session.ts';
import { carried } from './connection-facts.ts';
import { encodeFrame, readFrames } from './frames.ts';
import { type LoginAnswer, loginAnswerSchema, type LoginQuestion } from './login-messages.ts';

/** What the auth process says of a login: with the verdict that lets one in comes his sealed ticket. */
export interface Decision {
  readonly verdict: Verdict | undefined;
  readonly ticket?: string;
}

/** The auth process, as a front asks it. */
export class LoginClient {
  readonly #stream: Socket;
  readonly #asked = new Map<number, (answer: LoginAnswer) => void>();
  /** Resolves when no more is to be had from it. */
  readonly ended: Promise<void>;
  #requests = 0;

  constructor(stream: Socket) {
    this.#stream = stream.on('error', () => {});
    this.ended = this.#listen();
  }

  /** Whoever asks when it has gone, or when it goes before it has answered, hears `unavailable`. */
  async decide(
    attempt: LoginAttempt,
    session: AuthorizationSession,
    facts: Readonly<Record<string, unknown>>,
  ): Promise<Decision> {
    this.#requests += 1;
    const request = this.#requests;
    const { promise, resolve } = Promise.withResolvers<LoginAnswer>();
    const gone = (): void => this.#send({ kind: 'gone', request });
    session.signal.addEventListener('abort', gone, { once: true });
    try {
      this.#asked.set(request, resolve);
      const { user, password } = attempt;
      this.#send({ kind: 'password', request, user, session: asCarried(session), facts }, password.reveal());
      if (!this.#stream.writable) this.#forget();
      return decisionOf(await promise);
    } finally {
      this.#asked.delete(request);
      session.signal.removeEventListener('abort', gone);
    }
  }

  #send(question: LoginQuestion, secret?: Uint8Array): void {
    if (!this.#stream.writable) return;
    const frame = encodeFrame(question, secret);
    this.#stream.write(frame, () => frame.fill(0));
  }

  async #listen(): Promise<void> {
    const answers = z.compile(loginAnswerSchema);
    try {
      for await (const { message } of readFrames(this.#stream)) {
        const answer = answers.parse(message);
        this.#asked.get(answer.request)?.(answer);
      }
    } catch {
      // It has died, or talks nonsense: either way it is of no more use, and its master sees to another.
    } finally {
      this.#stream.destroy();
      this.#forget();
    }
  }

  #forget(): void {
    const text = 'the process that checks passwords is not there';
    for (const [request, resolve] of this.#asked)
      resolve({ kind: 'unavailable', request, text, forClient: false });
  }
}

const asCarried = (session: AuthorizationSession) => ({
  ...carried(session),
  ...(session.claimedUser !== undefined && { claimedUser: session.claimedUser }),
});

function decisionOf(answer: LoginAnswer): Decision {
  if (answer.kind === 'granted') return { verdict: granted(answer.identity), ticket: answer.ticket };
  if (answer.kind === 'denied') return { verdict: denied(answer.reason, answer.text) };
  return { verdict: answer.kind === 'unknown' ? undefined : unavailable(causeOf(answer)) };
}

function causeOf({ text, forClient, code }: Extract<LoginAnswer, { kind: 'unavailable' }>): Error {
  return forClient ? new Failure(text, code && { code }) : new Error(text);
}
