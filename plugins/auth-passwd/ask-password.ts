import { createInterface, type Interface } from 'node:readline';
import { type Readable, Writable } from 'node:stream';

import { maxPasswordOctets } from './password-limits.ts';

/** The one who was asked gave no password, or not the same one twice. */
export class Cancelled extends Error {}

/**
 * Asks on a terminal with each prompt in turn, showing nothing of what is typed; all answers are to be the same. Where
 * `stdin` is no terminal its first line is the answer. Throws Cancelled.
 */
export async function askPassword(
  { stdin, stderr }: { readonly stdin: Readable; readonly stderr: Writable },
  prompts: readonly string[],
): Promise<Uint8Array> {
  if (!('isTTY' in stdin) || stdin.isTTY !== true) return firstLine(stdin);
  // readline takes the terminal's own echo away; what it would echo itself ends here.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 });
  try {
    const answers: string[] = [];
    for (const prompt of prompts) {
      stderr.write(prompt);
      answers.push(await nextLine(terminal));
      stderr.write('\n');
    }
    if (new Set(answers).size > 1)
      throw new Cancelled('the two passwords are not the same: nothing was changed');
    return Buffer.from(answers[0] ?? '', 'utf8');
  } finally {
    terminal.close();
  }
}

function nextLine(terminal: Interface): Promise<string> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(new Cancelled('no password was given: nothing was changed'));
    terminal.once('close', leave);
    terminal.once('SIGINT', leave);
    terminal.once('line', (line) => {
      terminal.off('close', leave);
      terminal.off('SIGINT', leave);
      resolve(line);
    });
  });
}

async function firstLine(stdin: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of stdin) {
    const piece = Buffer.from(chunk);
    chunks.push(piece);
    octets += piece.length;
    if (piece.includes(0x0a) || octets > maxPasswordOctets + 2) break;
  }
  const [line = ''] = Buffer.concat(chunks).toString('latin1').split('\n');
  return Buffer.from(line.replace(/\r$/, ''), 'latin1');
}
