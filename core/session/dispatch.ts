import type { Command } from '../commands/command.ts';
import type { Core } from '../core.ts';
import { UsageError } from '../protocol/arguments.ts';
import type { Line } from '../protocol/line-reader.ts';
import { err, isReply, type Reply } from '../protocol/reply.ts';
import { answer } from './answer.ts';
import { isOutcome, type Outcome } from './outcome.ts';
import type { SessionTally } from './session-tally.ts';
import type { Session } from './session.ts';

interface Around {
  readonly core: Core;
  readonly tally: SessionTally;
}

/** Turns one command line into what should happen next. Never throws: a broken plugin costs one -ERR. */
export async function dispatch(line: Line, session: Session, { core, tally }: Around): Promise<Outcome> {
  if (line.kind === 'too long') return say(err('line too long: 255 octets at most, CRLF included'));
  if (line.kind === 'malformed') return say(err('a command is printable ASCII and ends with CRLF'));
  const found = core.commands.find(line.text);
  if (found === undefined) return say(err('unknown command'));
  const { command, rest } = found;
  tally.began(command.keyword);
  try {
    return await run(command, rest, { session, core });
  } catch (error) {
    if (error instanceof UsageError) return say(err(`usage: ${command.usage}`));
    return say(answer(error, command.keyword, core, session));
  }
}

interface Context {
  readonly session: Session;
  readonly core: Core;
}

async function run(command: Command, rest: string, { session, core }: Context): Promise<Outcome> {
  const ready = command.forSession(session);
  if (ready === undefined) return say(err(`${command.keyword} has no place in the ${session.state} state`));
  const refusal = command.refuse(session);
  if (refusal !== undefined) return asOutcome(refusal);
  const instead = await core.hooks.command.get(command.keyword)?.promise(session);
  if (instead !== undefined) return say(instead);
  if (session.state === 'TRANSACTION' && !command.countsOnly) await session.maildrop.load?.();
  return asOutcome(await ready(rest));
}

/** Plugins may be plain JavaScript: an answer that is neither a reply nor an outcome is theirs to mend. */
function asOutcome(result: Reply | Outcome): Outcome {
  if (isReply(result)) return say(result);
  if (isOutcome(result)) return result;
  throw new TypeError('a command is answered with a reply or an outcome');
}

const say = (reply: Reply): Outcome => ({ kind: 'reply', reply });
