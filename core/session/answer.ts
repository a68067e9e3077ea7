import type { Core } from '../core.ts';
import { Failure } from '../protocol/failure.ts';
import { err, type Reply } from '../protocol/reply.ts';
import type { ConnectionFacts } from './channel.ts';

/**
 * The one place where an error becomes what the client hears. A `Failure` speaks for itself; anything else is a bug or
 * an outage, so the client is told to come back and the log is told the rest.
 */
export function answer(
  error: unknown,
  doing: string,
  core: Core,
  { id }: Pick<ConnectionFacts, 'id'>,
): Reply {
  if (error instanceof Failure) {
    if (error.cause !== undefined)
      core.log.warn(`${doing}: ${error.message}`, { session: id, error: error.cause });
    return err(error.message, error.code);
  }
  core.log.error(`${doing} failed`, { session: id, error });
  return err('internal error, try again later', 'SYS/TEMP');
}
