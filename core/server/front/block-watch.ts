import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { LogOptions } from '../../log/pino-log.ts';

/** What the thread is given. */
export interface Watched {
  /** A number in shared memory that changes as long as the event loop turns. */
  readonly beats: Int32Array;
  readonly everyMs: number;
  /** So many looks at an unchanged number are a block. */
  readonly looks: number;
  readonly log: Omit<LogOptions, 'stream'>;
}

export interface BlockWatchOptions {
  /** Milliseconds without a turn that are a block. */
  readonly afterMs: number;
  /** The daemon's log, which the thread opens for itself. */
  readonly log: Watched['log'];
  /** Told where the thread ended; the process goes on without. */
  readonly failed: (error: unknown) => void;
}

const looks = 10;
/** For what a look at a blocked thread takes; a thread that lacks memory would end without a word. */
const heapMebibytes = 32;

/**
 * Has a thread watch this one's event loop, up to the end of the process. When it has not turned for so many milliseconds the
 * thread looks where it is, and writes that to the log: nobody else could tell which plugin it was.
 */
export function watchForBlocks({ afterMs, log, failed }: BlockWatchOptions): void {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const everyMs = afterMs / looks;
  setInterval(() => Atomics.add(beats, 0, 1), everyMs / 2).unref();
  const watched: Watched = { beats, everyMs, looks, log };
  const thread = new Worker(watcherFile, {
    workerData: watched,
    resourceLimits: { maxOldGenerationSizeMb: heapMebibytes, maxYoungGenerationSizeMb: 1 },
  });
  thread.on('error', failed);
  thread.unref();
}

/** In source and built, it lies beside this file and ends as this one does. */
const watcherFile = join(import.meta.dirname, `block-watcher${extname(import.meta.filename)}`);
