import type { Socket } from 'node:net';

import type { Logger } from '../../log/logger.ts';
import { answerTo, errorOf } from './answer.ts';
import type { Control } from './commands.ts';
import { LineTooLong, linesOf } from './lines.ts';
import type { AnswerLine } from './messages.ts';

export interface Patience {
  /** So long one may take to ask, or to hang up after an answer, in milliseconds. */
  readonly askWithinMs: number;
  /** So long an answer may take, the time included that its reader takes, in milliseconds. */
  readonly answerWithinMs: number;
}

interface Context extends Patience {
  /** Undefined while the daemon is starting. */
  readonly control: () => Control | undefined;
  readonly log: Logger;
}

/** Lines of a list are sent in blocks of so many characters, so that other work gets its turn between them. */
const blockLength = 16 * 1024;

/**
 * Answers one connection's questions, one after the other, until it has no more. One that takes too long to ask or to
 * read is cut off.
 */
export async function converse(
  socket: Socket,
  { control, log, askWithinMs, answerWithinMs }: Context,
): Promise<void> {
  // A line that is too long ends the reading, but has to be answered.
  const lines = linesOf(socket.iterator({ destroyOnReturn: false }));
  try {
    for (;;) {
      const line = await within(askWithinMs, socket, lines.next());
      if (line.done === true) return;
      await within(answerWithinMs, socket, send(socket, answerTo(line.value, control(), log)));
    }
  } catch (error) {
    if (!(error instanceof LineTooLong)) throw error;
    await within(answerWithinMs, socket, send(socket, [errorOf('request', error.message)]));
  }
}

function within<T>(mostMs: number, socket: Socket, work: Promise<T>): Promise<T> {
  const deadline = setTimeout(() => socket.destroy(), mostMs);
  return work.finally(() => clearTimeout(deadline));
}

/** Makes no more of the answer than its reader takes, and no more at all once the reader has left. */
async function send(socket: Socket, answer: AsyncIterable<AnswerLine> | Iterable<AnswerLine>): Promise<void> {
  let block = '';
  for await (const line of answer) {
    block += `${JSON.stringify(line)}\n`;
    if (block.length < blockLength) continue;
    await write(socket, block);
    block = '';
  }
  await write(socket, block);
}

function write(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
