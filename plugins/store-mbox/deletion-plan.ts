import { Rows, rowOctets } from './rows.ts';

/** What a deletion takes out of a mailbox, and the rows of the mailbox after it. */
export interface DeletionPlan {
  /** Start, end, start, end, ...: half-open, ascending, neighbours merged. */
  readonly ranges: Float64Array;
  readonly removedOctets: number;
  readonly kept: Rows;
}

/**
 * Plans the removal of these rows. Each goes from its From_ line to the next one. If the message before has no empty
 * line behind it, it inherits the last one removed: without it the message after might not be seen as one any more.
 * `emptyLineBeforeFirst` says whether the mailbox's first row stands at the file's start or behind an empty line.
 */
export function planDeletion(
  rows: Rows,
  deleted: ReadonlySet<number>,
  emptyLineBeforeFirst: boolean,
): DeletionPlan {
  const ranges: number[] = [];
  const kept = Buffer.alloc((rows.count - deleted.size) * rowOctets);
  let keptCount = 0;
  let removedOctets = 0;
  let separated = emptyLineBeforeFirst;
  for (let index = 0; index < rows.count; index += 1) {
    if (!deleted.has(index)) {
      rows.octets.copy(kept, keptCount * rowOctets, index * rowOctets, (index + 1) * rowOctets);
      kept.writeDoubleLE(rows.offsetOf(index) - removedOctets, keptCount * rowOctets);
      keptCount += 1;
      separated = rows.separatorOctetsOf(index) > 0;
      continue;
    }
    const first = index;
    while (index + 1 < rows.count && deleted.has(index + 1)) index += 1;
    const start = rows.offsetOf(first);
    const spared = separated || index + 1 === rows.count ? 0 : rows.separatorOctetsOf(index);
    const end = rows.endOf(index) - spared;
    if (spared > 0 && keptCount > 0) kept.writeUInt32LE(spared, (keptCount - 1) * rowOctets + 28);
    separated ||= spared > 0;
    ranges.push(start, end);
    removedOctets += end - start;
  }
  return { ranges: Float64Array.from(ranges), removedOctets, kept: new Rows(kept) };
}
