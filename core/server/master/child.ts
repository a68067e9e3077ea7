import { type ChildProcess, fork } from 'node:child_process';

import type { Logger } from '../../log/logger.ts';
import type { AnswerLine, Request } from '../control/messages.ts';
import { type Order, type Report, reportSchema } from '../ipc/messages.ts';
import { Questions } from './questions.ts';

/** How a child process came to its end. */
export interface Ending {
  readonly exitCode?: number;
  readonly signal?: NodeJS.Signals;
  /** Why it was never there. */
  readonly error?: Error;
}

/** What a child process is for: to look at the configuration, or to serve clients. */
export type ChildRole = 'plan' | 'front';

/** The program that children run, and its arguments behind the role. */
export interface Program {
  readonly entry: string;
  readonly args: readonly string[];
}

/** A process that the master started, as the master sees it. */
export class Child {
  readonly ended: Promise<Ending>;
  /** Called with each report. */
  heard: (report: Report) => void = () => {};
  readonly #process: ChildProcess;
  readonly #log: Logger;
  readonly #questions = new Questions();

  private constructor(child: ChildProcess, log: Logger) {
    this.#process = child;
    this.#log = log;
    this.ended = endingOf(child);
    child.on('message', (message) => this.#hear(message));
    void this.ended.then(() => this.#questions.close());
  }

  /** `descriptors` are the child's from `firstSocketDescriptor` on. */
  static start(
    role: ChildRole,
    { program, descriptors = [], log }: { program: Program; descriptors?: readonly number[]; log: Logger },
  ): Child {
    const child = fork(program.entry, [role, ...program.args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...descriptors],
      execArgv: [...(runsSources() ? ['--conditions=popper-source'] : []), '--disable-sigusr1'],
      env: withoutNode(process.env),
    });
    return new Child(child, log);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  send(order: Order): void {
    // One that has just died hears nothing, and its end is told by `ended`.
    if (this.#process.connected) this.#process.send(order, () => {});
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

const runsSources = (): boolean =>
  /(?:-C|--conditions)[ =]popper-source\b/.test(
    [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' '),
  );

/** Variables of Node's would let whoever set them run code in a child, or open its debugger. */
const withoutNode = (variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(variables).filter(([name]) => !name.startsWith('NODE_')));
