import type { AnswerLine } from '../control/messages.ts';

interface Question {
  /** What has come and was not read yet. */
  lines: AnswerLine[];
  wake: () => void;
}

/** The questions that a process has not answered to the end. */
export class Questions {
  readonly #open = new Map<number, Question>();
  #count = 0;
  #isClosed = false;

  /** The answer, line by line, up to its last one or the end of the process. `send` sends the question. */
  async *ask(send: (id: number) => void): AsyncGenerator<AnswerLine> {
    this.#count += 1;
    const id = this.#count;
    const question: Question = { lines: [], wake: () => {} };
    this.#open.set(id, question);
    try {
      send(id);
      while (!this.#isClosed) {
        const { promise, resolve } = Promise.withResolvers<void>();
        question.wake = resolve;
        if (question.lines.length === 0) await promise;
        for (const line of question.lines.splice(0)) {
          yield line;
          if (!('session' in line)) return;
        }
      }
    } finally {
      this.#open.delete(id);
    }
  }

  answer({ id, lines }: { readonly id: number; readonly lines: readonly AnswerLine[] }): void {
    const question = this.#open.get(id);
    // Nobody waits for it any more.
    if (question === undefined) return;
    question.lines.push(...lines);
    question.wake();
  }

  /** The process is no more. */
  close(): void {
    this.#isClosed = true;
    for (const { wake } of this.#open.values()) wake();
  }
}
