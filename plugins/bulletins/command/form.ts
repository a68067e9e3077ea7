import { createInterface } from 'node:readline';

import type { SubcommandIo } from 'popperd';

/** What a person has typed. */
export interface Form {
  readonly subject: string;
  /** Octets as latin1. */
  readonly text: string;
}

/** Asks for a subject, unless it is known, and for a text. undefined for somebody who leaves in the middle. */
export async function fillIn(io: SubcommandIo, subject: string | undefined): Promise<Form | undefined> {
  const terminal = createInterface({ input: io.stdin, output: io.stderr, terminal: true, historySize: 0 });
  const interrupted = new AbortController();
  terminal.once('SIGINT', () => {
    interrupted.abort();
    terminal.close();
  });
  const lines = terminal[Symbol.asyncIterator]();
  try {
    const known = subject ?? (await ask(io, lines));
    if (known === undefined || known.trim() === '') return undefined;
    io.stderr.write('Text, ended by a line with a single dot:\n');
    const text = await textFrom(lines);
    if (interrupted.signal.aborted || text.trim() === '') return undefined;
    return { subject: known, text: Buffer.from(text, 'utf8').toString('latin1') };
  } finally {
    terminal.close();
  }
}

async function ask(io: SubcommandIo, lines: AsyncIterator<string>): Promise<string | undefined> {
  io.stderr.write('Subject: ');
  const { done, value } = await lines.next();
  return done === true ? undefined : value;
}

/** Ctrl-D ends it, too. */
async function textFrom(lines: AsyncIterator<string>): Promise<string> {
  let text = '';
  for (;;) {
    const { done, value } = await lines.next();
    if (done === true || value === '.') return text;
    text += `${value}\n`;
  }
}
