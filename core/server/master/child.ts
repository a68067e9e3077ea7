import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';

import { z } from 'zod';

import type { Logger } from '../../log/logger.ts';
import type { AnswerLine, Request } from '../control/messages.ts';
import { guardHandles } from '../ipc/guard-handles.ts';
import { type Order, type Report, reportSchema } from '../ipc/messages.ts';
import { closeHandle } from '../user/foreign-handle.ts';
import { StreamRecipient } from '../user/stream-recipient.ts';
import { stopReading } from '../user/unread.ts';
import { type Ending, endingOf } from './ending.ts';
import { Questions } from './questions.ts';
import { type ChildRole, type StartOptions, startProcess } from './start-process.ts';

const reports = z.compile(reportSchema);

/** A process that the master started, as the master sees it. */
export class Child {
  readonly ended: Promise<Ending>;
  /** Called with each report, and with the connection that came with it, of which nothing is read. */
  heard: (report: Report, lent: Socket | undefined) => void = (_, lent) => void lent?.destroy();
  readonly #process: ChildProcess;
  readonly #recipient: StreamRecipient;
  readonly #log: Logger;
  readonly #questions = new Questions();

  private constructor(child: ChildProcess, log: Logger) {
    this.#process = child;
    this.#recipient = new StreamRecipient(child);
    this.#log = log;
    this.ended = endingOf(child);
    guardHandles(child, () => this.#endForNonsense());
    child.on('message', (message, handle) => this.#hear(message, handle));
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

  #hear(message: unknown, handle: unknown): void {
    const lent = lentBy(handle);
    const { success, data } = reports.safeParse(message);
    if (success && data.kind === 'assign') return this.heard(data, lent);
    if (success && handle === undefined) return this.#take(data);
    closeHandle(handle);
    this.#endForNonsense();
  }

  #endForNonsense(): void {
    this.#log.error('a child process talks nonsense, so it is ended', { child: this.pid });
    this.kill();
  }

  #take(report: Report): void {
    if (report.kind === 'answer') this.#questions.answer(report);
    else this.heard(report, undefined);
  }
}

/** What a connection can be lent by, and nothing else. Node would read it from now on, if it were not told otherwise in the turn in which it comes. */
function lentBy(handle: unknown): Socket | undefined {
  if (!(handle instanceof Socket)) {
    closeHandle(handle);
    return undefined;
  }
  handle.on('error', () => {});
  if (stopReading(handle)) return handle;
  handle.destroy();
  return undefined;
}
