import type { Command } from '../commands/command.ts';
import type { Core } from '../core.ts';
import type { Maildrop } from '../maildrop/maildrop.ts';
import { makersOf } from '../maildrop/makers.ts';
import type { CommandTable } from '../plugin/command-table.ts';
import { UsageError } from '../protocol/arguments.ts';
import type { Line } from '../protocol/line-reader.ts';
import { letGo, piecesOf } from '../protocol/pieces.ts';
import { err, isReply, type Reply } from '../protocol/reply.ts';
import { answer } from './answer.ts';
import { Hung } from './ends-within.ts';
import { mayShow } from './may-show.ts';
import { isOutcome, type Outcome } from './outcome.ts';
import type { Patience } from './patience.ts';
import type { SessionTally } from './session-tally.ts';
import type { Session } from './session.ts';

interface Around {
  readonly core: Core;
  readonly tally: SessionTally;
  /** With a command's own work: its hooks have a deadline of their own, and bringing in an index takes as long as it has mail. */
  readonly patience?: Patience;
}

/**
 * Turns one command line into what should happen next: at once where nothing has to be waited for. Never throws and never
 * rejects: a broken plugin costs one -ERR.
 */
export function dispatch(line: Line, session: Session, around: Around): Outcome | Promise<Outcome> {
  const { core, tally, patience } = around;
  if (line.kind === 'too long') return say(err('line too long: 255 octets at most, CRLF included'));
  if (line.kind === 'malformed') return say(err('a command is printable ASCII and ends with CRLF'));
  const found = core.commands.find(line.text);
  if (found === undefined) return say(err(core.replies.unknownCommand(core.commands.keywordIn(line.text))));
  const { command } = found;
  tally.began(command.keyword);
  const outcome = outcomeOf(found, { session, core, patience });
  return core.hooks.answer.get(command.keyword) === undefined
    ? outcome
    : told(outcome, found, { session, core });
}

type Found = NonNullable<ReturnType<CommandTable['find']>>;

function outcomeOf({ command, rest }: Found, context: Context): Outcome | Promise<Outcome> {
  try {
    const result = run(command, rest, context);
    return result instanceof Promise ? settled(result, command, context) : asOutcome(result);
  } catch (error) {
    return failed(error, command, context);
  }
}

/** The same outcome, once those have heard of it who wait for this command's answers. */
function told(
  outcome: Outcome | Promise<Outcome>,
  found: Found,
  context: Context,
): Outcome | Promise<Outcome> {
  if (outcome instanceof Promise) return outcome.then((now) => told(now, found, context));
  const { session, core } = context;
  const { command, rest } = found;
  if (outcome.kind !== 'reply') return outcome;
  try {
    const words = mayShow(command, rest, session.state === 'TRANSACTION') ? rest : '';
    core.hooks.answer.get(command.keyword)?.call(outcome.reply, words, session);
  } catch (error) {
    core.log.error('answer failed', { session: session.id, error });
  }
  return outcome;
}

interface Context {
  readonly session: Session;
  readonly core: Core;
  readonly patience?: Patience | undefined;
}

type Result = Reply | Outcome | Promise<Reply | Outcome>;

function run(command: Command, rest: string, { session, core, patience }: Context): Result {
  const ready = command.forSession(session);
  if (ready === undefined) return err(core.replies.outOfPlace(command, session.state));
  const refusal = command.refuse(session);
  if (refusal !== undefined) return refusal;
  const asked = core.hooks.command.get(command.keyword)?.promise(session);
  const toLoad = maildropToLoad(command, session);
  const toAsk = maildropToAsk(command, session);
  const work = (): Result => inTime(ready(rest), patience);
  if (asked === undefined && toLoad === undefined && toAsk === undefined) return work();
  return runLater(work, { asked, toLoad, toAsk, patience });
}

function inTime(result: Result, patience: Patience | undefined): Result {
  if (patience === undefined || !(result instanceof Promise)) return result;
  return patience.for(result).catch((error: unknown) => {
    if (error instanceof Hung) void result.then(unused).catch(() => {});
    throw error;
  });
}

/** A message that comes when nobody waits for it any more is let go of. */
function unused(late: Reply | Outcome): void {
  if ('body' in late) void letGo(piecesOf(late.body));
}

/** A store that opens without what its columns answer from is asked for it once. */
function maildropToLoad({ countsOnly }: Command, session: Session): Maildrop | undefined {
  if (countsOnly || session.state !== 'TRANSACTION') return undefined;
  const { maildrop } = session;
  return maildrop.load === undefined || loaded.has(maildrop) ? undefined : maildrop;
}

const loaded = new WeakSet<Maildrop>();

/** One that does not let go of a message says so before it is marked. */
function maildropToAsk({ marks }: Command, session: Session): Maildrop | undefined {
  if (!marks || session.state !== 'TRANSACTION') return undefined;
  const { maildrop } = session;
  const canTell = typeof maildrop.mayDelete === 'function' && maildrop.readOnly !== true;
  return canTell && !permitted.has(maildrop) ? maildrop : undefined;
}

const permitted = new WeakSet<Maildrop>();

/** What has to be waited for before a command is run. */
interface Awaited {
  /** What taps of the hook say instead. */
  readonly asked: Promise<Reply | undefined> | undefined;
  readonly toLoad: Maildrop | undefined;
  readonly toAsk: Maildrop | undefined;
  readonly patience: Patience | undefined;
}

/** An answer that comes too late runs nothing: the client has heard by then that it does not come. */
async function runLater(
  ready: () => Result,
  { asked, toLoad, toAsk, patience }: Awaited,
): Promise<Reply | Outcome> {
  const instead = await asked;
  if (instead !== undefined) return instead;
  await toLoad?.load?.();
  if (toLoad !== undefined) loaded.add(toLoad);
  if (toAsk !== undefined) {
    const permission = permissionOf(toAsk);
    await (patience?.for(permission) ?? permission);
    permitted.add(toAsk);
  }
  return ready();
}

/** A store in plain JavaScript may answer without a promise. */
async function permissionOf(maildrop: Maildrop): Promise<void> {
  await maildrop.mayDelete?.();
}

async function settled(
  result: Promise<Reply | Outcome>,
  command: Command,
  context: Context,
): Promise<Outcome> {
  try {
    return asOutcome(await result);
  } catch (error) {
    return failed(error, command, context);
  }
}

function failed(error: unknown, command: Command, { core, session }: Context): Outcome {
  const { keyword } = command;
  if (error instanceof UsageError) return say(err(core.replies.wrongArguments(command, error.fault)));
  if (error instanceof Hung && session.state === 'TRANSACTION') {
    const plugin = makersOf(session.maildrop);
    core.log.error('a plugin hangs', { session: session.id, plugin, command: keyword, error });
    return say(err('no answer for too long, try again later', 'SYS/TEMP'));
  }
  return say(answer(error, keyword, core, session));
}

/** Plugins may be plain JavaScript: an answer that is neither a reply nor an outcome is theirs to mend. */
function asOutcome(result: Reply | Outcome): Outcome {
  if (isReply(result)) return say(result);
  if (isOutcome(result)) return result;
  throw new TypeError('a command is answered with a reply or an outcome');
}

const say = (reply: Reply): Outcome => ({ kind: 'reply', reply });
