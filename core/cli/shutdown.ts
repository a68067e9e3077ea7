import type { DaemonLog } from '../log/pino-log.ts';
import type { Daemon } from '../server/daemon.ts';
import { exitCode } from './exit-code.ts';

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * Ends the daemon when it is time. The first signal stops it gracefully, the second at once, and the third does not wait
 * for anything. An error that nobody caught is logged, and then the daemon stops gracefully, too: its other sessions did
 * nothing wrong, but the process cannot be trusted with new ones.
 */
export class Shutdown {
  /** The exit code, when the daemon has ended. */
  readonly done: Promise<number>;
  readonly #log: DaemonLog;
  readonly #patienceMs: number;
  readonly #finish: (code: number) => void;
  #daemon: Daemon | undefined;
  #asked = 0;
  #isStopping = false;
  #code: number = exitCode.done;

  /** `patienceMs`: a stop that takes longer than this is given up and the process ended. */
  constructor(log: DaemonLog, patienceMs: number) {
    this.#log = log;
    this.#patienceMs = patienceMs;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.done = promise;
    this.#finish = resolve;
    for (const signal of signals) process.on(signal, this.#onSignal);
    // Rejections that nobody handles arrive here as well: Node makes exceptions of them.
    process.on('uncaughtException', this.#onError);
  }

  /** From here on there is something to stop; where a signal came before, it is stopped now. */
  started(daemon: Daemon): void {
    this.#daemon = daemon;
    if (this.#asked > 0) this.#stop(daemon);
  }

  /** Signals and errors have their usual effect again. */
  close(): void {
    for (const signal of signals) process.off(signal, this.#onSignal);
    process.off('uncaughtException', this.#onError);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.#log.info(this.#asked === 0 ? 'stopping' : 'stopping at once', { signal });
    this.#ask();
  };

  readonly #onError = (error: unknown, origin: string): void => {
    this.#log.fatal('an error that nobody caught: stopping', { error, origin });
    this.#code = exitCode.problems;
    // A second one must not cut short the sessions that the first one let finish.
    if (this.#asked === 0) this.#ask();
  };

  #ask(): void {
    this.#asked += 1;
    if (this.#asked > 2) process.exit(exitCode.problems);
    if (this.#daemon) this.#stop(this.#daemon);
  }

  #stop(daemon: Daemon): void {
    const stopped = daemon.stop();
    // Asked again it only hurries: there is one end, and whoever asked first sees to it.
    if (this.#isStopping) return;
    this.#isStopping = true;
    const giveUp = setTimeout(() => {
      this.#log.error('stopping took too long', { patienceMs: this.#patienceMs });
      process.exit(exitCode.problems);
    }, this.#patienceMs);
    stopped.then(
      () => this.#ended(giveUp),
      (error: unknown) => {
        this.#log.error('stopping failed', { error });
        this.#code = exitCode.problems;
        this.#ended(giveUp);
      },
    );
  }

  #ended(giveUp: NodeJS.Timeout): void {
    clearTimeout(giveUp);
    this.close();
    if (this.#code === exitCode.done) this.#log.info('stopped');
    this.#finish(this.#code);
  }
}
