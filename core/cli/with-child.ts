import { setImmediate } from 'node:timers/promises';

import type { Child } from '../server/master/child.ts';

/** What end a process that nobody else ends. */
const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Waits for what a child does, which does not outlive this process meanwhile: a signal ends both, as if nobody had listened. */
export async function withChild<Done>(child: Child, work: Promise<Done>): Promise<Done> {
  const kill = (): void => child.kill();
  const end = (signal: NodeJS.Signals): void => {
    kill();
    letSignals();
    process.kill(process.pid, signal);
  };
  const letSignals = (): void => signals.forEach((signal) => process.off(signal, end));
  for (const signal of signals) process.on(signal, end);
  process.on('exit', kill);
  try {
    return await work;
  } finally {
    // One that has come with the child's end is heard.
    await setImmediate();
    letSignals();
    process.off('exit', kill);
  }
}
