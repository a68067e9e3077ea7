import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

import type { Logger } from '../../log/logger.ts';
import type { AnswerLine, Request } from '../control/messages.ts';
import { type Order, type Report, reportSchema } from '../ipc/messages.ts';
import { StreamRecipient } from '../user/stream-recipient.ts';
import { Questions } from './questions.ts';
import { type ChildRole, type StartOptions, startProcess } from './start-process.ts';

/** How a child process came to its end. */
export interface Ending {
  readonly exitCode?: number;
  readonly signal?: NodeJS.Signals;
  /** Why it was never there. */
  readonly error?: Error;
}

/** A process that the master started, as the master sees it. */
export class Child {
  readonly ended: Promise<Ending>;
  /** Called with each report. */
  heard: (report: Report) => void = () => {};
  readonly #process: ChildProcess;
  readonly #recipient: StreamRecipient;
  readonly #log: Logger;
  readonly #questions = new Questions();

  private constructor(child: ChildProcess, log: Logger) {
    this.#process = child;
    this.#recipient = new StreamRecipient(child);
    this.#log = log;
    this.ended = endingOf(child);
    child.on('message', (message) => this.#hear(message));
    void this.ended.then(() => this.#questions.close());
  }

  static start(role: ChildRole, { log, ...options }: StartOptions & { readonly log: Logger }): Child {
    return new Child(startProcess(role, options), log);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  send(order: Order): void {
    // One that has just died hears nothing, and its end is told by `ended`.
    if (this.#process.connected) this.#process.send(order, () => {});
  }

  /** The same with a stream, which is the child's from then on. Rejects where the child has ended. */
  give(order: Order, stream: Socket): Promise<void> {
    return this.#recipient.give(order, stream);
  }

  /** Its answer to an operator's question; cut short where it ends. */
  ask(request: Request): AsyncGenerator<AnswerLine> {
    return this.#questions.ask((id) => this.send({ kind: 'ask', id, request }));
  }

  /** Ends it at once, whatever it is doing. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #hear(message: unknown): void {
    const report = reportSchema.safeParse(message);
    if (report.success && report.data.kind === 'answer') return this.#questions.answer(report.data);
    if (report.success) return this.heard(report.data);
    this.#log.error('a child process talks nonsense, so it is ended', { child: this.pid });
    this.kill();
  }
}

function endingOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once('exit', (exitCode, signal) => {
      resolve({ ...(exitCode !== null && { exitCode }), ...(signal !== null && { signal }) });
    });
    child.on('error', (error) => {
      if (child.pid === undefined) resolve({ error });
    });
  });
}
