import type { Logger } from '../log/logger.ts';
import { Failure } from '../protocol/failure.ts';
import { PluginFault } from './plugin-fault.ts';
import type { PluginsAtWork } from './plugins-at-work.ts';

/** What the guard knows of the tap it stands around. */
export interface Guarded<R> {
  readonly plugin: string;
  /** What of the plugin's it is: `hook connect`, `command X-USAGE`. */
  readonly where: string;
  /** Milliseconds until the tap counts as hung. */
  readonly deadlineMs: number;
  /** A tap that took longer is named in the log, though it answered in time. In milliseconds. */
  readonly slowAfterMs: number;
  readonly log: Logger;
  /** Told when it begins, and when it is over. */
  readonly atWork: PluginsAtWork;
  /** Says what is wrong with an answer that cannot be used; undefined where it is all right. */
  readonly complaint?: (answer: unknown) => string | undefined;
  /** Called with an answer that came after the deadline or cannot be used, so that what it holds can be let go. */
  readonly unused?: (answer: R) => void;
}

/**
 * Stands around a tap of an async hook: it is awaited even where the plugin wrote a plain function, it has a deadline,
 * and what it throws carries the plugin's name. A `Failure` passes as it is: it is meant for the client.
 */
export function guardAsync<A extends readonly unknown[], R>(
  tap: (...args: A) => R | Promise<R>,
  guarded: Guarded<R>,
): (...args: A) => Promise<R> {
  return (...args) => {
    const startedAtMs = performance.now();
    const { atWork } = guarded;
    const piece = atWork.began(guarded.plugin, guarded.where);
    return new Promise<R>((resolve, reject) => {
      const deadline = new Deadline(guarded, (fault) => {
        // It may never be over.
        atWork.ended(piece);
        reject(fault);
      });
      run(tap, args)
        .then(
          (answer) => {
            atWork.ended(piece);
            if (deadline.missed) return guarded.unused?.(answer);
            deadline.met(startedAtMs);
            const fault = faultIn(answer, guarded);
            if (fault === undefined) return resolve(answer);
            guarded.unused?.(answer);
            throw fault;
          },
          (error: unknown) => {
            atWork.ended(piece);
            deadline.met(startedAtMs);
            throw error;
          },
        )
        .catch((error: unknown) => reject(blame(error, guarded)));
    });
  };
}

/**
 * The same for a tap of a sync hook, which has no deadline because nothing can interrupt it. Nothing awaits it either: a
 * promise is no answer, and what it fails with later is logged, because nobody else would catch it.
 */
export function guardSync<A extends readonly unknown[], R>(
  tap: (...args: A) => R,
  guarded: Omit<Guarded<R>, 'unused' | Times>,
): (...args: A) => R {
  return (...args) => {
    const piece = guarded.atWork.began(guarded.plugin, guarded.where);
    try {
      const answer = tap(...args);
      logFailure(answer, guarded);
      const fault = faultIn(answer, guarded);
      if (fault === undefined) return answer;
      throw fault;
    } catch (error) {
      throw blame(error, guarded);
    } finally {
      guarded.atWork.ended(piece);
    }
  };
}

type Times = 'deadlineMs' | 'slowAfterMs';

function faultIn<R>(
  answer: R,
  { plugin, where, complaint }: Omit<Guarded<R>, 'unused' | Times>,
): PluginFault | undefined {
  const what = complaint?.(answer);
  return what === undefined ? undefined : new PluginFault(plugin, where, { what: `answered ${what}` });
}

function logFailure(answer: unknown, guarded: Pick<Guarded<never>, 'plugin' | 'where' | 'log'>): void {
  if (!(answer instanceof Promise)) return;
  answer.catch((error: unknown) => {
    guarded.log.error('a promise that nobody awaits failed', { error: blame(error, guarded) });
  });
}

/** A tap with much patience is named so soon, in milliseconds: whoever waits for it may give up long before its deadline. */
const namedAfterMs = 30_000;

class Deadline {
  readonly #guarded: Omit<Guarded<never>, 'unused'>;
  #timer: NodeJS.Timeout;
  missed = false;

  constructor(guarded: Omit<Guarded<never>, 'unused'>, reject: (reason: PluginFault) => void) {
    this.#guarded = guarded;
    const { plugin, where, deadlineMs, log } = guarded;
    const miss = (): void => {
      this.missed = true;
      reject(new PluginFault(plugin, where, { what: `did not answer within ${deadlineMs} ms` }));
    };
    const leftMs = deadlineMs - namedAfterMs;
    const name = (): void => {
      log.warn('a plugin has not answered yet', { plugin, where, forMs: namedAfterMs, leftMs });
      this.#timer = setTimeout(miss, leftMs);
    };
    this.#timer = leftMs > 0 ? setTimeout(name, namedAfterMs) : setTimeout(miss, deadlineMs);
  }

  met(startedAtMs: number): void {
    clearTimeout(this.#timer);
    const tookMs = Math.round(performance.now() - startedAtMs);
    const { plugin, where, log, slowAfterMs } = this.#guarded;
    if (tookMs < slowAfterMs) return;
    log.warn('slow plugin', { plugin, where, tookMs });
  }
}

async function run<A extends readonly unknown[], R>(
  tap: (...args: A) => R | Promise<R>,
  args: A,
): Promise<R> {
  return tap(...args);
}

/** The error with the names of whose it is. */
export function blame(error: unknown, { plugin, where }: Pick<Guarded<never>, 'plugin' | 'where'>): Error {
  if (error instanceof Failure || error instanceof PluginFault) return error;
  const what = error instanceof Error ? error.message : String(error);
  return new PluginFault(plugin, where, { what, cause: error });
}
