import { monitorEventLoopDelay } from 'node:perf_hooks';

import type { Logger } from '../../log/logger.ts';

/** What all sessions of a process waited for, in milliseconds, is worth a line in the log. */
const longDelayMs = 200;
const resolutionMs = 50;

export interface HeartbeatOptions {
  readonly everyMs: number;
  readonly beat: () => Promise<void>;
  readonly log: Logger;
}

/** Calls `beat` now and then as long as the event loop turns, up to the end of the process; tells where it was held up. */
export function startHeartbeat({ everyMs, beat, log }: HeartbeatOptions): void {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  void beat();
  setInterval(() => {
    void beat();
    const heldUpMs = Math.round(delays.max / 1e6) - resolutionMs;
    delays.reset();
    if (heldUpMs > longDelayMs) log.warn('something held up all sessions', { heldUpMs });
  }, everyMs);
}
