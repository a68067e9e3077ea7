import { setTimeout as delay } from 'node:timers/promises';

const patienceMs = 20_000;

/** Resolves when it is so. */
export async function until(isSo: () => boolean, what = 'it'): Promise<void> {
  for (const endMs = performance.now() + patienceMs; !isSo(); await delay(5))
    if (performance.now() > endMs) throw new Error(`${what} has not come`);
}
