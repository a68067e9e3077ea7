/** A module awaits, at its top, what never comes. */
export class Unsettled extends Error {
  constructor() {
    super('it never finishes loading: it awaits something at its top that never comes');
    this.name = 'Unsettled';
  }
}

/** For so long a module may work while it loads. */
const patienceMs = 60_000;

/** Whoever waits for a module, of which there can be many at a time. */
const waiting = new Set<() => void>();

/** Node says so when nothing is left that this process waits for. */
const onIdle = (): void => {
  for (const giveUp of waiting) giveUp();
};

/**
 * What a module that loads comes to. Throws Unsettled where it cannot come to anything any more, because nothing is left that
 * this process waits for, or has not within a minute. Node itself would end, with code 13 and no word for the operator.
 */
export async function settled(loading: Promise<unknown>): Promise<unknown> {
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(new Unsettled());
  // Not counted as something that this process waits for.
  const timer = setTimeout(giveUp, patienceMs).unref();
  if (waiting.size === 0) process.on('beforeExit', onIdle);
  waiting.add(giveUp);
  try {
    return await Promise.race([loading, promise]);
  } finally {
    clearTimeout(timer);
    waiting.delete(giveUp);
    if (waiting.size === 0) process.off('beforeExit', onIdle);
  }
}
