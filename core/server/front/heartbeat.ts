import type { Logger } from '../../log/logger.ts';

/** What all sessions of a process waited for, in milliseconds, is worth a line in the log. */
const longDelayMs = 200;
const lookEveryMs = 100;

export interface HeartbeatOptions {
  readonly everyMs: number;
  readonly beat: () => Promise<void>;
  readonly log: Logger;
}

/** Calls `beat` now and then as long as the event loop turns, up to the end of the process; tells where it was held up. */
export function startHeartbeat({ everyMs, beat, log }: HeartbeatOptions): void {
  void beat();
  setInterval(() => void beat(), everyMs);
  // Not by Node's monitor of delays, which passes over whatever begins just after it was reset.
  let lookedAtMs = performance.now();
  setInterval(() => {
    const nowMs = performance.now();
    const heldUpMs = Math.round(nowMs - lookedAtMs - lookEveryMs);
    lookedAtMs = nowMs;
    if (heldUpMs > longDelayMs) log.warn('something held up all sessions', { heldUpMs });
  }, lookEveryMs);
}
