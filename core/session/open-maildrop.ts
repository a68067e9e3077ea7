import type { Identity } from '../auth/login.ts';
import type { Core } from '../core.ts';
import type { Maildrop } from '../maildrop/maildrop.ts';
import { NotWrapped } from '../maildrop/makers.ts';
import { Failure } from '../protocol/failure.ts';
import { endsWithin, Hung } from './ends-within.ts';

/**
 * The user's maildrop, opened by the first store that knows him and wrapped by whoever wraps. It takes as long as the
 * store needs; only when the signal has fired, a store that goes on regardless is not waited for. Throws what the
 * plugins throw, a Failure where no store knows the user, and a Hung; nothing is open then, or will stay so.
 */
export async function openMaildrop(identity: Identity, signal: AbortSignal, core: Core): Promise<Maildrop> {
  const opening = open(identity, signal, core);
  try {
    return await endsWithin(opening, core.settings.hookDeadlineMs, signal);
  } catch (error) {
    // It may come yet, and have the lock that the user's next session wants.
    if (error instanceof Hung)
      void opening.then((late) => closeMaildrop(late, identity, core)).catch(() => {});
    throw error;
  }
}

/** Closes it, or logs why that failed; one that hangs is not waited for. */
export async function closeMaildrop(maildrop: Maildrop, { user }: Identity, core: Core): Promise<void> {
  try {
    await endsWithin(maildrop.close(), core.settings.hookDeadlineMs);
  } catch (error) {
    core.log.error('closing the maildrop failed', { user, error });
  }
}

async function open(identity: Identity, signal: AbortSignal, core: Core): Promise<Maildrop> {
  const stored = await core.hooks.openMaildrop.promise(identity, signal);
  if (stored === undefined) throw new Failure('no maildrop for this user', { code: 'SYS/PERM' });
  try {
    return await core.hooks.maildrop.promise(stored, identity);
  } catch (error) {
    // Closing what was wrapped last closes all that it wraps.
    const [last, why] = error instanceof NotWrapped ? [error.maildrop, error.cause] : [stored, error];
    await closeMaildrop(last, identity, core);
    throw why;
  }
}
