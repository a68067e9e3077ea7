import type { FileStat } from './commit/index.ts';
import type { MailboxIndex } from './index-cache.ts';
import { type IndexHeader, isSameMailbox } from './index-header.ts';
import type { Place } from './place.ts';
import { Rows } from './rows.ts';

/**
 * What is known of a mailbox that has changed. The index on disk may be another process's and newer than ours; if ours
 * came from it, we know more.
 */
export async function lastKnown(place: Place, known: MailboxIndex | undefined): Promise<MailboxIndex> {
  const { indexFile } = place;
  const stat = await indexFile.stat();
  if (stat === undefined) return known ?? emptyIndex;
  if (known !== undefined && isAsRead(known, stat)) return known;
  const header = await indexFile.readHeader();
  if (header === undefined) return known ?? emptyIndex;
  const newest = known !== undefined && cameFrom(header, known) ? known : asRead(header);
  return { ...newest, onDisk: isSettled(stat) ? stat : undefined };
}

/** Of a mailbox that is not there, or empty: nobody's stamp. */
export const emptyIndex: MailboxIndex = {
  header: {
    stamp: { bootId: '', dev: 0n, ino: 0n, octets: 0, mtimeNs: 0n, ctimeNs: 0n },
    count: 0,
    totalOctets: 0,
    scannedOctets: 0,
    tailDigest: Buffer.alloc(32),
    contentLength: false,
  },
  rows: Rows.none,
  unsaved: { kind: 'nothing' },
};

const isAsRead = ({ onDisk }: MailboxIndex, { ino, dev, octets, mtimeNs, ctimeNs }: FileStat): boolean =>
  onDisk?.ino === ino &&
  onDisk.dev === dev &&
  onDisk.octets === octets &&
  onDisk.mtimeNs === mtimeNs &&
  onDisk.ctimeNs === ctimeNs;

/** The clock of files goes in steps: what was written a moment ago could be written again and look the same. */
const isSettled = ({ ctimeNs }: FileStat): boolean => Date.now() - Number(ctimeNs / 1_000_000n) > clockStepMs;

const clockStepMs = 1000;

const asRead = (header: IndexHeader): MailboxIndex => ({
  header,
  rows: undefined,
  unsaved: { kind: 'nothing' },
});

function cameFrom(header: IndexHeader, known: MailboxIndex): boolean {
  const origin = originOf(known);
  return origin !== undefined && isSameMailbox(origin.stamp, header.stamp);
}

/** What was on disk when this was made. */
function originOf({ header, unsaved }: MailboxIndex): IndexHeader | undefined {
  if (unsaved.kind === 'added') return unsaved.former;
  return unsaved.kind === 'nothing' ? header : undefined;
}
