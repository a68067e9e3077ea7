import type { OpenFile } from './commit/index.ts';
import { isSameMailbox } from './index-header.ts';
import type { Mailbox } from './mailbox.ts';
import { stampOf, type SurveyedIndex } from './survey.ts';

/** What is in the mailbox now, for the holder of its locks: looked through again if it has changed. */
export async function currentIndex(mailbox: Mailbox, file: OpenFile): Promise<SurveyedIndex> {
  const stat = await file.stat();
  const stamp = stampOf(stat, mailbox.place.surroundings.bootId);
  const { header } = mailbox;
  const isCurrent = isSameMailbox(header.stamp, stamp) && header.scannedOctets === stamp.octets;
  if (isCurrent) return { header, rows: await mailbox.rows() };
  return mailbox.survey(file, { stat, isBeingWritten: false });
}
