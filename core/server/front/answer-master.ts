import type { Logger } from '../../log/logger.ts';
import { answerTo } from '../control/answer.ts';
import type { Control } from '../control/commands.ts';
import type { AnswerLine } from '../control/messages.ts';
import type { Order } from '../ipc/messages.ts';
import type { Superior } from './superior.ts';

/** So many lines go in one message. */
const mostLines = 256;

/** Answers an operator's question that the master passed on. */
export async function answerMaster(
  { id, request }: Extract<Order, { kind: 'ask' }>,
  { master, control, log }: { master: Superior; control: Control | undefined; log: Logger },
): Promise<void> {
  let lines: AnswerLine[] = [];
  for await (const line of answerTo(Buffer.from(JSON.stringify(request)), control, log)) {
    lines.push(line);
    if (lines.length === mostLines) await master.tell({ kind: 'answer', id, lines: lines.splice(0) });
  }
  await master.tell({ kind: 'answer', id, lines });
}
