import type { Logger } from '../../log/logger.ts';
import { type Control, ControlRefusal } from './commands.ts';
import {
  type AnswerError,
  type AnswerLine,
  protocolVersion,
  type Request,
  requestSchema,
} from './messages.ts';

/** The answer to one line, line by line. Never throws: what goes wrong is its last line. */
export async function* answerTo(
  line: Uint8Array,
  control: Control | undefined,
  log: Logger,
): AsyncGenerator<AnswerLine> {
  const asked = requestIn(line);
  if ('code' in asked) yield { error: asked };
  else if (control === undefined) yield errorOf('starting', 'popper is starting: ask again soon');
  else yield* answersOf(asked, control, log);
}

export const errorOf = (code: AnswerError['code'], message: string): AnswerLine => ({
  error: { code, message },
});

function requestIn(line: Uint8Array): Request | AnswerError {
  const asked = parsed(line);
  const result = requestSchema.safeParse(asked);
  if (result.success) return result.data;
  const version: unknown = typeof asked === 'object' && asked !== null && Reflect.get(asked, 'version');
  if (typeof version === 'number' && version !== protocolVersion) {
    return { code: 'version', message: `this popper speaks version ${protocolVersion}` };
  }
  return { code: 'request', message: 'expected one JSON object a line: docs/reference/control.md' };
}

function parsed(line: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line));
  } catch {
    return undefined;
  }
}

async function* answersOf(request: Request, control: Control, log: Logger): AsyncGenerator<AnswerLine> {
  const { version: _, ...asked } = request;
  try {
    if (asked.command !== 'status' && asked.command !== 'who') log.info('control', asked);
    yield* linesFor(request, control);
  } catch (error) {
    const isRefusal = error instanceof ControlRefusal;
    if (!isRefusal) log.error('control failed', { ...asked, error });
    yield isRefusal
      ? errorOf('refused', error.message)
      : errorOf('failed', 'it went wrong, and the log of the daemon says how');
  }
}

async function* linesFor(request: Request, control: Control): AsyncGenerator<AnswerLine> {
  switch (request.command) {
    case 'who':
      yield* listed(control);
      break;
    case 'status':
      yield { done: await control.status() };
      break;
    case 'kick':
      yield { done: await control.kick(request.target) };
      break;
    case 'unlock':
      yield { done: await control.unlock(request.user) };
      break;
    case 'reload':
      yield { done: await control.reload() };
      break;
    case 'drain':
      yield { done: await control.drain() };
      break;
  }
}

async function* listed(control: Control): AsyncGenerator<AnswerLine> {
  let count = 0;
  for await (const session of control.who()) {
    yield { session };
    count += 1;
  }
  yield { done: { count } };
}
