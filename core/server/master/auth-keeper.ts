import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

import type { Logger } from '../../log/logger.ts';
import { type AuthOrder, type AuthReport, authReportSchema } from '../user/auth-messages.ts';
import { KeptProcess } from './kept-process.ts';
import type { StartPatience } from './start-patience.ts';

export interface AuthKeeperOptions {
  readonly fork: () => ChildProcess;
  readonly blockedTimeoutMs: number;
  /** There is one that can be asked, and its tickets are sealed with this key; an earlier one's are void. */
  readonly ready: (key: string) => void;
  readonly log: Logger;
}

/** Keeps the process running that checks passwords. */
export class AuthKeeper {
  readonly #auth: KeptProcess<AuthOrder, AuthReport>;

  constructor({ ready, ...options }: AuthKeeperOptions) {
    this.#auth = new KeptProcess({
      what: 'the process that checks passwords',
      reports: authReportSchema,
      ready: ({ key }) => ready(key),
      ...options,
    });
  }

  /** Resolves when it was told to end and its process has. */
  get ended(): Promise<void> {
    return this.#auth.ended;
  }

  get pid(): number | undefined {
    return this.#auth.pid;
  }

  /** Whether it can be asked. */
  get isReady(): boolean {
    return this.#auth.isReady;
  }

  /** Resolves when it can be asked. Rejects with the reason where it cannot start; then there is none. */
  start(patience: StartPatience): Promise<void> {
    return this.#auth.start(patience);
  }

  /** Gives it the stream of a front. Rejects where there is none, or it ends before it has that. */
  give(stream: Socket): Promise<void> {
    return this.#auth.give({ kind: 'front' }, stream);
  }

  /** Ends it, when it has decided what it is at. */
  stop(): void {
    this.#auth.stop({ kind: 'stop' });
  }

  kill(): void {
    this.#auth.kill();
  }
}
