/** A message may be all header, and as long as any. */
export const maxHeaderOctets = 64 * 1024;

/**
 * Whether a message's `Status:` field has an R, as programs set it on mail that was read. Reads no further than the header,
 * nor than `maxHeaderOctets`, and closes the source.
 */
export async function saysRead(message: AsyncIterable<Uint8Array>): Promise<boolean> {
  let text = '';
  for await (const chunk of message) {
    const room = maxHeaderOctets - text.length;
    text += Buffer.from(chunk.buffer, chunk.byteOffset, Math.min(room, chunk.length)).toString('latin1');
    if (text.length >= maxHeaderOctets || headerEnd.test(text)) break;
  }
  const header = text.slice(0, headerEnd.exec(text)?.index);
  return field.exec(header)?.[1]?.includes('R') ?? false;
}

const headerEnd = /^\r?\n|\n\r?\n/;
const field = /(?:^|\n)status:[ \t]*([A-Z]*)/i;
