import type { Command } from '../commands/command.ts';
import { UsageError } from '../protocol/arguments.ts';
import { isReply, type Reply } from '../protocol/reply.ts';
import type { Outcome } from '../session/outcome.ts';
import type { Session } from '../session/session.ts';
import { complaints } from './answers.ts';
import { guardEntrance } from './guard-entrance.ts';
import { guardTake } from './guard-take.ts';
import { guardAsync, type Guarded, guardSync } from './guard.ts';

/**
 * Stands around a plugin's command as the guard does around its taps: what it throws or answers wrongly carries the names of
 * plugin and command, and one that has not answered in time is given up, so that its session goes on.
 */
export function guardCommand(command: Command, guard: Omit<CommandGuard, 'where'>): Command {
  const guarded = { ...guard, where: `command ${command.keyword}` };
  const refuse = (session: Session): Reply | undefined => command.refuse(session);
  const run = guardAsync(readAndRun, { ...guarded, complaint: complaintAbout });
  return {
    ...command,
    refuse: guardSync(refuse, { ...guarded, complaint: complaints.command }),
    forSession(session) {
      const ready = command.forSession(session);
      return ready && (async (text) => guardedOutcome(await run(ready, text), guarded));
    },
  };
}

/** What the guard knows of the command, whatever it answers with. */
type CommandGuard = Omit<Guarded<never>, 'complaint' | 'unused'>;

type Ready = NonNullable<ReturnType<Command['forSession']>>;
type Answer = Reply | Outcome | UsageError;

/** A client that got the arguments wrong is no fault of the plugin's. */
async function readAndRun(ready: Ready, text: string): Promise<Answer> {
  try {
    return await ready(text);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
}

const complaintAbout = (answer: unknown): string | undefined =>
  answer instanceof UsageError ? undefined : complaints.answer(answer);

/** What of the plugin's is still to be called. */
function guardedOutcome(answer: Answer, guarded: CommandGuard): Reply | Outcome {
  if (answer instanceof UsageError) throw answer;
  if (isReply(answer)) return answer;
  if (answer.kind === 'receive') return { ...answer, take: guardTake(answer.take, guarded) };
  if (answer.kind === 'enter') return { ...answer, ...guardEntrance(answer, guarded) };
  return answer;
}
