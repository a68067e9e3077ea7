import type { DaemonLog } from '../log/pino-log.ts';
import type { Daemon } from '../server/daemon.ts';
import type { Settings } from '../settings.ts';
import { exitCode } from './exit-code.ts';
import { endProcess, watchExit } from './watch-exit.ts';

export interface ShutdownOptions {
  readonly log: DaemonLog;
  /** A stop that takes longer than this, in milliseconds, is given up and the process ended; so is a start that a stop waits for. */
  readonly patienceMs: number;
  /** Those that stop it. */
  readonly signals: readonly NodeJS.Signals[];
}

/** Added to what stopping may take by the config, in milliseconds: for writing logs and the like. */
const lastWordsMs = 5000;

/** So long a daemon with these settings may take to stop, in milliseconds. */
export const patienceMsOf = ({
  stopTimeoutMs,
  hookDeadlineMs,
}: Pick<Settings, 'stopTimeoutMs' | 'hookDeadlineMs'>): number =>
  stopTimeoutMs + hookDeadlineMs + lastWordsMs;

/** What it ends: a daemon, or the master of several. */
type Stoppable = Pick<Daemon, 'stop' | 'drain'>;

/**
 * Ends the daemon when it is time. The first signal stops it gracefully, the second at once, and the third does not wait
 * for anything. An error that nobody caught is logged, and then the daemon stops gracefully, too: its other sessions did
 * nothing wrong, but the process cannot be trusted with new ones. One that somebody else ends says so in the log.
 */
export class Shutdown {
  /** The exit code, when the daemon has ended. */
  readonly done: Promise<number>;
  /** Resolves when a stop is asked for, by whatever. */
  readonly asked: Promise<void>;
  readonly #options: ShutdownOptions;
  readonly #log: DaemonLog;
  readonly #exitIsExpected: () => void;
  readonly #finish: (code: number) => void;
  readonly #wasAsked: () => void;
  #daemon: Stoppable | undefined;
  #asked = 0;
  #lateness: NodeJS.Timeout | undefined;
  #isDraining = false;
  #isStopping = false;
  #code: number = exitCode.done;

  constructor(options: ShutdownOptions) {
    this.#options = options;
    this.#log = options.log;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.done = promise;
    this.#finish = resolve;
    const asking = Promise.withResolvers<void>();
    this.asked = asking.promise;
    this.#wasAsked = asking.resolve;
    this.#exitIsExpected = watchExit(options.log);
    for (const signal of options.signals) process.on(signal, this.#onSignal);
    // Rejections that nobody handles arrive here as well: Node makes exceptions of them.
    process.on('uncaughtException', this.#onError);
  }

  /** From here on there is something to stop; where a signal came before, it is stopped now. */
  started(daemon: Stoppable): void {
    this.#daemon = daemon;
    if (this.#asked > 0) this.#stop(daemon);
    else if (this.#isDraining) this.#drain(daemon);
  }

  /** Stops the daemon when its last session has left by itself; who is told to stop meanwhile does not wait for that. */
  drain(): void {
    this.#log.info('draining');
    this.#isDraining = true;
    if (this.#daemon) this.#drain(this.#daemon);
  }

  /** Stops it as a first signal does; once that has begun it changes nothing. */
  askOnce(): void {
    if (this.#asked === 0) this.ask();
  }

  /** Stops it as one more signal does. */
  ask(): void {
    this.#asked += 1;
    this.#wasAsked();
    if (this.#asked > 2) this.#exit();
    // One that is still starting is stopped when it has started, if it comes to that.
    this.#lateness ??= setTimeout(() => this.#isLate(), this.#options.patienceMs);
    if (this.#daemon) this.#stop(this.#daemon);
  }

  /** Signals, errors and the end of the process have their usual effect again. */
  close(): void {
    clearTimeout(this.#lateness);
    this.#exitIsExpected();
    for (const signal of this.#options.signals) process.off(signal, this.#onSignal);
    process.off('uncaughtException', this.#onError);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.#log.info(this.#asked === 0 ? 'stopping' : 'stopping at once', { signal });
    this.ask();
  };

  readonly #onError = (error: unknown, origin: string): void => {
    this.#log.fatal('an error that nobody caught: stopping', { error, origin });
    this.#code = exitCode.problems;
    // A second one must not cut short the sessions that the first one let finish.
    this.askOnce();
  };

  #drain(daemon: Stoppable): void {
    void daemon.drain().then(() => this.askOnce());
  }

  #stop(daemon: Stoppable): void {
    const stopped = daemon.stop();
    // Asked again it only hurries: there is one end, and whoever asked first sees to it.
    if (this.#isStopping) return;
    this.#isStopping = true;
    stopped.then(
      () => this.#ended(),
      (error: unknown) => {
        this.#log.error('stopping failed', { error });
        this.#code = exitCode.problems;
        this.#ended();
      },
    );
  }

  #isLate(): never {
    const { patienceMs } = this.#options;
    const what = this.#daemon ? 'stopping' : 'starting, which a stop waits for,';
    this.#log.error(`${what} took too long`, { patienceMs });
    this.#exit();
  }

  #exit(): never {
    endProcess(exitCode.problems);
  }

  #ended(): void {
    this.close();
    if (this.#code === exitCode.done) this.#log.info('stopped');
    this.#finish(this.#code);
  }
}
