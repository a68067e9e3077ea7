import type { Guarded } from './guard.ts';
import type { SpoolLock, SpoolLockAttempt, SpoolLockKind } from './spool-locks.ts';

type Shown = Pick<Guarded<never>, 'plugin' | 'atWork'>;

/** The same kind of lock, with the plugin shown while it is at work. */
export function shownLockKind(kind: SpoolLockKind, shown: Shown): SpoolLockKind {
  const { name } = kind;
  const work = { ...shown, where: `lock ${name}` };
  return {
    name,
    rootOf: (mailboxPath) => kind.rootOf(mailboxPath),
    tryLock: (mailboxPath) => during(work, async () => attemptOf(await kind.tryLock(mailboxPath), work)),
    resume: (mailboxPath) =>
      during(work, async () => {
        const lock = await kind.resume(mailboxPath);
        return lock && lockOf(lock, work);
      }),
    clear: () => during(work, () => kind.clear()),
  };
}

type Work = Shown & { readonly where: string };

const during = <R>(work: Work, act: () => Promise<R>): Promise<R> => work.atWork.during(work, act);

const attemptOf = (attempt: SpoolLockAttempt, work: Work): SpoolLockAttempt =>
  typeof attempt === 'string' ? attempt : lockOf(attempt, work);

const lockOf = (lock: SpoolLock, work: Work): SpoolLock => ({
  refresh: () => during(work, () => lock.refresh()),
  release: () => during(work, () => lock.release()),
});
