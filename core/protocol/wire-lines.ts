import type { Lines } from './reply.ts';

/** Text is gathered to about this many characters before it is handed on. */
const blockLength = 16 * 1024;

/** The lines of a multi-line response as they cross the wire, gathered to blocks; the lone dot is not among them. */
export async function* wireBlocks(lines: Lines): AsyncGenerator<string> {
  let block = '';
  const isAsync = Symbol.asyncIterator in lines;
  for (const line of isAsync ? [] : lines) {
    block += wireLine(line);
    if (block.length < blockLength) continue;
    yield block;
    block = '';
  }
  if (isAsync) for await (const line of lines) yield wireLine(line);
  if (block !== '') yield block;
}

/**
 * One line of a multi-line response, byte-stuffed and ended (RFC 1939 section 3). A line end inside it, or a character
 * that is no octet, becomes `?`: a plugin that hands on what others wrote cannot end the response early.
 */
function wireLine(line: string): string {
  const text = unsendable.test(line) ? line.replaceAll(unsendableAll, '?') : line;
  return text.startsWith('.') ? `.${text}\r\n` : `${text}\r\n`;
}

const unsendable = /[\r\n\u0100-\uffff]/;
const unsendableAll = /[\r\n\u0100-\uffff]/g;
