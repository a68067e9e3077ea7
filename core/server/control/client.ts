import { connect, type Socket } from 'node:net';

import type { z } from 'zod';

import { linesOf } from './lines.ts';
import {
  type AnswerError,
  type AnswerLine,
  answerLineSchema,
  type Request,
  protocolVersion,
  type SessionEntry,
} from './messages.ts';

/** So long a daemon may be silent, in milliseconds: more than an answer takes. */
const patienceMs = 90_000;
/** A reload may wait for another one, and for a plugin that hangs until it is given up: the reason is worth waiting for. */
const reloadPatienceMs = 330_000;

/** Nobody answers on the socket, or nobody whom we understand. The message is for the operator. */
export class NoAnswer extends Error {}

/** The daemon answered that it will not, or cannot. The message is for the operator. */
export class Refused extends Error {
  readonly code: AnswerError['code'];

  constructor({ code, message }: AnswerError) {
    super(message);
    this.code = code;
  }
}

/** Asks the daemon behind this socket. Throws a NoAnswer or a Refused. */
export async function ask<Done>(path: string, request: Request, schema: z.ZodType<Done>): Promise<Done> {
  for await (const line of answerOf(path, request)) {
    if (!('done' in line)) continue;
    const done = schema.safeParse(line.done);
    if (!done.success) throw misunderstood(path, done.error);
    return done.data;
  }
  throw cutOff(path);
}

/** The daemon's open sessions, as they arrive. Throws as `ask` does. */
export async function* sessionsOf(path: string): AsyncGenerator<SessionEntry> {
  for await (const line of answerOf(path, { version: protocolVersion, command: 'who' })) {
    if (!('session' in line)) return;
    yield line.session;
  }
  throw cutOff(path);
}

async function* answerOf(
  path: string,
  request: Request,
): AsyncGenerator<Exclude<AnswerLine, { error: unknown }>> {
  const socket = await connected(path, request.command === 'reload' ? reloadPatienceMs : patienceMs);
  try {
    socket.write(`${JSON.stringify(request)}\n`);
    for await (const octets of linesOf(socket)) {
      const line = parsed(octets, path);
      if ('error' in line) throw new Refused(line.error);
      yield line;
    }
  } catch (error) {
    throw error instanceof Refused || error instanceof NoAnswer ? error : misunderstood(path, error);
  } finally {
    socket.destroy();
  }
}

function parsed(octets: Uint8Array, path: string): AnswerLine {
  const line = answerLineSchema.safeParse(JSON.parse(new TextDecoder().decode(octets)));
  if (!line.success) throw misunderstood(path, line.error);
  return line.data;
}

function connected(path: string, silenceMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.setTimeout(silenceMs, () => socket.destroy());
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error: NodeJS.ErrnoException) => reject(nobody(path, error)));
  });
}

function nobody(path: string, { code, message }: NodeJS.ErrnoException): NoAnswer {
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return new NoAnswer(
      `no popper answers on ${path}: is it running, and with this config? (-c FILE, with the options that it was started with, or --socket PATH)`,
    );
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new NoAnswer(
      `no permission to talk to popper on ${path}: be its user or root, or set control: { group }`,
    );
  }
  return new NoAnswer(`cannot talk to popper on ${path}: ${message}`);
}

const cutOff = (path: string): NoAnswer =>
  new NoAnswer(
    `popper on ${path} hung up before its answer was whole: has it ended, or is it asked too much?`,
  );

const misunderstood = (path: string, cause: unknown): NoAnswer =>
  new NoAnswer(`what answers on ${path} is no popper of this version`, { cause });
