/** A plugin or store has not ended what it was asked to do. */
export class Hung extends Error {}

/**
 * What the work comes to, or a `Hung` where it takes longer than that: counted from when the signal fires, or from now
 * where there is none. The work itself goes on, for nothing can stop it; only nobody waits for it any more.
 */
export function endsWithin<T>(work: Promise<T>, deadlineMs: number, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const startClock = (): void => {
      timer = setTimeout(() => reject(new Hung(`no end within ${deadlineMs} ms`)), deadlineMs);
    };
    if (signal === undefined || signal.aborted) startClock();
    else signal.addEventListener('abort', startClock, { once: true });
    const stopClock = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', startClock);
    };
    // Nothing is left to wait for or to go wrong: the answer has been handed on by then.
    void work.then(resolve, reject).then(stopClock);
  });
}
