/** So far a header is looked through: memory for each session that asks. */
const maxHeaderOctets = 16 * 1024;

/**
 * What a message's From field says, on one line, one character for each octet; empty where it has none. Reads no further than
 * the header, and closes the source.
 */
export async function fromTextOf(message: AsyncIterable<Uint8Array>): Promise<string> {
  const header = await headerOf(message);
  const text = /(?:^|\n)from[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)/i.exec(header)?.[1] ?? '';
  return text.replaceAll(/\s+/g, ' ').trim();
}

async function headerOf(message: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of message) {
    text += Buffer.from(chunk.subarray(0, maxHeaderOctets - text.length)).toString('latin1');
    if (emptyLine.test(text) || text.length === maxHeaderOctets) break;
  }
  return text.slice(0, emptyLine.exec(text)?.index);
}

const emptyLine = /(?:^|\n)\r?\n/;
