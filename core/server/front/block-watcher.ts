// The program of the thread that block-watch.ts starts.
import { writeSync } from 'node:fs';
import { type Debugger, Session } from 'node:inspector/promises';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread, workerData } from 'node:worker_threads';

import type { Logger } from '../../log/logger.ts';
import type { Watched } from './block-watch.ts';

/** Calls that are told, the innermost first. */
const maxCalls = 8;

if (!isMainThread) await watch(workerData);

async function watch({ beats, everyMs, looks, log }: Watched): Promise<never> {
  let last = Atomics.load(beats, 0);
  // Looks are counted, and not time: a process that was stopped as a whole has had no look either.
  for (let unchanged = 0; ; await delay(everyMs)) {
    const now = Atomics.load(beats, 0);
    unchanged = now === last ? unchanged + 1 : 0;
    last = now;
    // What is never needed costs nothing, and what may be needed at once is there.
    if (unchanged === Math.floor(looks / 2)) void openLog(log);
    if (unchanged === looks) await tell(log, (everyMs * looks) / 2);
  }
}

async function tell(options: Watched['log'], answerWithinMs: number): Promise<void> {
  const calls = await callsOfMainThread(answerWithinMs);
  const log = await openLog(options);
  if (calls.length > 0) log.error('something blocks all sessions', { at: calls.join(' < ') });
  else
    log.error(
      'something blocks all sessions, and could not be stopped for a look: a call of the system that waits, most likely',
    );
}

async function openLog(options: Watched['log']): Promise<Logger> {
  const { createLogger } = await import('../../log/pino-log.ts');
  return createLogger({ ...options, stream: standardError() });
}

/** Node's own streams in a thread hand everything to the main thread, which is the one that does not answer. */
function standardError(): Writable {
  return new Writable({
    write(chunk: Uint8Array, _, done) {
      writeSync(2, chunk);
      done();
    },
  });
}

/**
 * Where it is, as the debugger within this process sees it; it goes on at once. None where it has not stopped in time: it runs
 * no code then, or this machine has too much to do.
 */
async function callsOfMainThread(answerWithinMs: number): Promise<readonly string[]> {
  const session = new Session();
  const files = new Map<string, string>();
  session.connectToMainThread();
  try {
    session.on('Debugger.scriptParsed', ({ params }) => files.set(params.scriptId, params.url));
    const paused = new Promise<Debugger.PausedEventDataType>((resolve) => {
      session.once('Debugger.paused', ({ params }) => resolve(params));
    });
    void session.post('Debugger.enable').catch(() => {});
    void session.post('Debugger.pause').catch(() => {});
    const stopped = await Promise.race([paused, delay(answerWithinMs, undefined)]);
    return (stopped?.callFrames ?? [])
      .map(({ functionName, location: { scriptId, lineNumber } }) => {
        const file = files.get(scriptId)?.replace(/^file:\/\//, '') ?? '';
        return { file, text: `${functionName || '(anonymous)'} (${file}:${lineNumber + 1})` };
      })
      .filter(({ file }) => file.startsWith('/'))
      .slice(0, maxCalls)
      .map(({ text }) => text);
  } finally {
    session.disconnect();
  }
}
