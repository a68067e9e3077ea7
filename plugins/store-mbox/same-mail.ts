import { sha256 } from './canonical.ts';
import type { NewTail } from './commit/index.ts';
import type { Check } from './confirmation.ts';
import type { ReadableFile } from './file-window.ts';
import { scanMailbox } from './scanner.ts';

/**
 * Whether the messages from this row on would be found again, and be the same, if the mailbox ended so. What moves or grows
 * may make a From_ line of what was text, or lead a `Content-Length:` that lies to where it is believed.
 */
export async function isSameMail(
  { file, rows, contentLength }: Check,
  firstRow: number,
  tail: NewTail,
): Promise<boolean> {
  const from = rows.offsetOf(firstRow);
  const to = tail.start + tail.content.length;
  let row = firstRow;
  let isSame = true;
  const scan = { file: withTail(file, tail), from, to, startsMailbox: true, contentLength };
  await scanMailbox(scan, ({ canonical }) => {
    // Behind the last row lies mail that has come since.
    isSame &&= row >= rows.count || rows.sameDigest(row, sha256(canonical));
    row += 1;
  });
  return isSame && row >= rows.count;
}

const withTail = (file: ReadableFile, { start, content }: NewTail): ReadableFile => ({
  async read(target, position) {
    const before = Math.min(target.length, Math.max(0, start - position));
    const octets = await file.read(target.subarray(0, before), position);
    if (octets < before) return octets;
    const from = position + before - start;
    const more = content.subarray(from, from + target.length - before);
    target.set(more, before);
    return before + more.length;
  },
});
