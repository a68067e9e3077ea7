import { missingLineEnds } from './addition.ts';
import { sha256 } from './canonical.ts';
import type { OpenFile } from './commit/index.ts';
import type { ReadableFile } from './file-window.ts';
import type { LeftMessage } from './left-messages.ts';
import type { Rows } from './rows.ts';
import { scanMailbox } from './scanner.ts';
import { Copies } from './uids.ts';

interface Addition {
  readonly batch: readonly LeftMessage[];
  /** The text of the batch. */
  readonly content: Buffer;
  /** What the mailbox has. */
  readonly rows: Rows;
}

/**
 * Whether messages would be the same at the mailbox's end: what is not known again would be added at each login. The mailbox's last
 * message is looked at with them, since its `Content-Length:` may claim what comes behind it.
 */
export async function wouldBeFoundAgain(
  file: OpenFile,
  { batch, content, rows }: Addition,
  contentLength: boolean,
): Promise<boolean> {
  const { octets } = await file.stat();
  const added = Buffer.concat([await missingLineEnds(file), content]);
  const from = rows.count > 1 ? rows.offsetOf(rows.count - 1) : 0;
  const before = Buffer.alloc(Math.min(from, lookBackOctets));
  await file.read(before, from - before.length);
  const longer = followedBy(file, octets, added);
  const to = octets + added.length;
  const digests: Buffer[] = [];
  await scanMailbox(
    { file: longer, from, to, startsMailbox: from === 0, before, contentLength },
    ({ canonical }) => digests.push(sha256(canonical)),
  );
  const last = digests.slice(-batch.length);
  return batch.every(({ digest }, index) => last[index]?.equals(digest) === true);
}

/** An empty line and the end of the line before it, amply. */
const lookBackOctets = 7;

/** The file as it would be with this behind its octets. */
const followedBy = (file: ReadableFile, octets: number, added: Buffer): ReadableFile => ({
  async read(target, position) {
    if (position >= octets) return added.copy(target, 0, position - octets);
    const there = target.subarray(0, octets - position);
    const readOctets = await file.read(there, position);
    return readOctets < there.length ? readOctets : readOctets + added.copy(target, readOctets);
  },
});

/** Whether the mailbox has all of a batch besides what it had before. */
export function areAdded(batch: readonly LeftMessage[], before: Rows, after: Rows): boolean {
  if (after.count < before.count + batch.length) return false;
  const [old, now] = [new Copies(before), new Copies(after)];
  const counts = new Map<string, number>();
  return batch.every(({ digest }) => {
    const name = Buffer.from(digest).toString('hex');
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return now.of(digest).length >= old.of(digest).length + count;
  });
}
