import { type FileStat, isMailboxPending, type OpenFile } from './commit/index.ts';
import { isDotlocked } from './dotlock.ts';
import type { MailboxIndex, Unsaved } from './index-cache.ts';
import { type IndexHeader, isSameMailbox } from './index-header.ts';
import { type BusyCode, lockMailboxShared } from './mailbox-lock.ts';
import { messageChanged } from './message-reader.ts';
import type { Place } from './place.ts';
import { recoverPlace } from './recovery.ts';
import { Rows } from './rows.ts';
import { assertTrusted } from './spool-file.ts';
import { stampOf, survey, type Survey, type SurveyedIndex } from './survey.ts';

/** A mailbox and what is known of it. Only the holder of the session lock has one. */
export class Mailbox {
  readonly place: Place;
  #index: MailboxIndex;
  #hasSuccessor = false;

  private constructor(place: Place, index: MailboxIndex) {
    this.place = place;
    this.#index = index;
  }

  /**
   * Finds out what is in the mailbox. If it is unchanged since the last time, it is neither opened nor locked. One that
   * is not there is empty, and is not made. Throws a Failure where it is not to be trusted, or locked for too long.
   */
  static async open(place: Place): Promise<Mailbox> {
    const stat = await settledStat(place);
    if (stat === undefined) return new Mailbox(place, emptyIndex);
    assertTrusted(place.path, stat, place.trust);
    if (stat.octets === 0) return new Mailbox(place, emptyIndex);
    const { cache } = place.surroundings;
    const known = cache.get(place.path);
    if (known !== undefined && isCurrent(known, stat, place)) return new Mailbox(place, known);
    const mailbox = new Mailbox(place, await lastKnown(place, known));
    if (!isCurrent(mailbox.#index, stat, place)) await mailbox.lookAgain('IN-USE');
    else cache.set(place.path, mailbox.#index);
    return mailbox;
  }

  get header(): IndexHeader {
    return this.#index.header;
  }

  /** Throws a Failure if they are lost and the mailbox is no longer what the header says. */
  async rows(): Promise<Rows> {
    const { header } = this;
    const rows = await this.#readRows();
    if (rows !== undefined) return rows;
    const found = await this.lookAgain();
    if (found?.header.count !== header.count || found.header.totalOctets !== header.totalOctets) {
      throw messageChanged(`${this.place.path}: changed, and its index was damaged`);
    }
    return found.rows;
  }

  /** Looks through the mailbox, or through what was added to it, under a shared lock. undefined if it is gone. */
  async lookAgain(busyCode?: BusyCode): Promise<Survey | undefined> {
    const { path, trust, locks, surroundings } = this.place;
    const locked = await lockMailboxShared(path, trust, locks, busyCode);
    if (locked === undefined) {
      this.#index = emptyIndex;
      return undefined;
    }
    try {
      const isBeingWritten = await isDotlocked(surroundings.files, path, locks.staleDotlockMs);
      return await this.survey(locked.file, { isBeingWritten });
    } finally {
      await locked.release();
    }
  }

  /** The same under a lock that the caller has. */
  async survey(
    file: OpenFile,
    how: { readonly isBeingWritten: boolean; readonly everything?: boolean },
  ): Promise<Survey> {
    const { path, surroundings } = this.place;
    const { bootId, options, log } = surroundings;
    const rows = await this.#readRows();
    const former = rows && { header: this.header, rows };
    const found = await survey({
      path,
      file,
      bootId,
      contentLength: options.contentLength,
      former,
      successor: former && (await this.#successor()),
      ...how,
    });
    if (found.strayOctets > 0) {
      log.warn('octets before the first message are left alone and not shown', {
        path,
        octets: found.strayOctets,
      });
    }
    const formerCount = former?.rows.count ?? 0;
    this.become(found, formerCount > 0 && found.keptCount === formerCount);
    if (found.scannedNowOctets > savedAtOnceOctets) await this.save();
    return found;
  }

  /** Takes over what is known now; `isExtended` says that rows were only added. */
  become(index: SurveyedIndex, isExtended: boolean): void {
    const { header, rows } = index;
    this.#know({ header, rows, unsaved: isExtended ? withAdded(this.#index) : { kind: 'all' } });
  }

  /** Writes down what a deletion is about to leave, beside what there is; `save` takes it away again. */
  async announce({ header, rows }: SurveyedIndex): Promise<void> {
    this.#hasSuccessor = true;
    try {
      await this.#write();
      await this.place.nextIndexFile.write(header, rows);
    } catch (error) {
      const { path, surroundings } = this.place;
      surroundings.log.warn('a crash now could change the uids of equal messages', { path, error });
    }
  }

  /**
   * Brings the index on disk up to date where that is worth the while. It can be made anew, so a full disk is no reason to
   * fail.
   */
  async save(): Promise<void> {
    if (!isWorthSaving(this.#index)) return;
    try {
      await this.#write();
      // While the deletion is not finished, its recovery will need to know which of several equal messages went.
      if (this.#hasSuccessor && !(await isMailboxPending(this.place.path, this.place.commit))) {
        await this.place.nextIndexFile.remove();
        this.#hasSuccessor = false;
      }
    } catch (error) {
      this.place.surroundings.log.warn('the index was not written; it will be made anew', {
        path: this.place.path,
        error,
      });
    }
  }

  async #write(): Promise<void> {
    const { header, rows, unsaved } = this.#index;
    if (rows === undefined || unsaved.kind === 'nothing') return;
    const { indexFile } = this.place;
    const extended = unsaved.kind === 'added' && (await indexFile.extend(unsaved.former, header, rows));
    if (header.scannedOctets === 0) await indexFile.remove();
    else if (!extended) await indexFile.write(header, rows);
    this.#know({ header, rows, unsaved: { kind: 'nothing' } });
  }

  async #readRows(): Promise<Rows | undefined> {
    const { header, rows, unsaved } = this.#index;
    if (rows !== undefined) return rows;
    const read = header.count === 0 ? Rows.none : await this.place.indexFile.readRows(header);
    if (read !== undefined) this.#know({ header, rows: read, unsaved });
    return read;
  }

  #know(index: MailboxIndex): void {
    this.#index = index;
    this.place.surroundings.cache.set(this.place.path, index);
  }

  /** What a deletion meant to leave, if a process died before it could say that it was done. */
  async #successor(): Promise<Rows | undefined> {
    const { nextIndexFile } = this.place;
    const header = await nextIndexFile.readHeader();
    this.#hasSuccessor ||= header !== undefined;
    return header && (await nextIndexFile.readRows(header));
  }
}

const withAdded = ({ header, unsaved }: MailboxIndex): Unsaved =>
  unsaved.kind === 'nothing' ? { kind: 'added', former: header } : unsaved;

/** A little that was added is scanned again, with the same uids, where this process does not remember it. */
function isWorthSaving({ header, unsaved }: MailboxIndex): boolean {
  if (unsaved.kind !== 'added') return unsaved.kind === 'all';
  return header.scannedOctets - unsaved.former.scannedOctets > leftUnsavedOctets;
}

/** To scan this much costs about what it costs to write it down. */
const leftUnsavedOctets = 256 * 1024;

/** A scan of this much is not done twice because a process was killed; less is left until the session ends. */
const savedAtOnceOctets = 16 * 1024 * 1024;

/** Of a mailbox that is not there, or empty: nobody's stamp. */
const emptyIndex: MailboxIndex = {
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

/** Recovers first what a dead process left. */
async function settledStat(place: Place): Promise<FileStat | undefined> {
  const { files } = place.surroundings;
  const [stat, isPending] = await Promise.all([
    files.lstat(place.path),
    isMailboxPending(place.path, place.commit),
  ]);
  if (!isPending) return stat;
  await recoverPlace(place, 'IN-USE');
  return files.lstat(place.path);
}

function isCurrent({ header }: MailboxIndex, stat: FileStat, { surroundings }: Place): boolean {
  const { bootId, options } = surroundings;
  if (header.scannedOctets < header.stamp.octets || header.contentLength !== options.contentLength)
    return false;
  return isSameMailbox(header.stamp, stampOf(stat, bootId));
}

/** The index on disk may be another process's and newer than ours; if ours came from it, we know more. */
async function lastKnown(place: Place, known: MailboxIndex | undefined): Promise<MailboxIndex> {
  const header = await place.indexFile.readHeader();
  if (header === undefined) return known ?? emptyIndex;
  const origin = known && originOf(known);
  const isOurs = origin !== undefined && isSameMailbox(origin.stamp, header.stamp);
  return known !== undefined && isOurs ? known : { header, rows: undefined, unsaved: { kind: 'nothing' } };
}

/** What was on disk when this was made. */
function originOf({ header, unsaved }: MailboxIndex): IndexHeader | undefined {
  if (unsaved.kind === 'added') return unsaved.former;
  return unsaved.kind === 'nothing' ? header : undefined;
}
