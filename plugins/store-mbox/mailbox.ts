// Over 250 lines: what is known of a mailbox has one owner, from the first look to what is saved of it.
import { type FileStat, isMailboxPending, type OpenFile } from './commit/index.ts';
import { dotlockPathOf, isDotlocked } from './dotlock.ts';
import { isWorthSaving, type MailboxIndex, type Unsaved } from './index-cache.ts';
import { type IndexHeader, isSameMailbox } from './index-header.ts';
import { KeptOctets } from './kept-octets.ts';
import { emptyIndex, lastKnown } from './last-known.ts';
import { type BusyCode, lockMailboxShared, type SharedMailbox } from './mailbox-lock.ts';
import { MessageReader, messageChanged } from './message-reader.ts';
import type { Place } from './place.ts';
import { privateCopyOf } from './private-copy.ts';
import { recoverPlace } from './recovery.ts';
import { Rows } from './rows.ts';
import { assertTrusted } from './spool-file.ts';
import { stampOf, survey, type Survey, type SurveyedIndex, type SurveyRequest } from './survey.ts';

/** A mailbox and what is known of it. Only the holder of the session lock has one. */
export class Mailbox {
  readonly place: Place;
  #index: MailboxIndex;
  #hasSuccessor = false;
  #reader: MessageReader | undefined;

  private constructor(place: Place, index: MailboxIndex) {
    this.place = place;
    this.#index = index;
  }

  /**
   * Finds out what is in the mailbox. If it is unchanged since the last time, it is neither opened nor locked. One that
   * is not there is empty, and is not made. Throws a Failure where it is not to be trusted, or locked for too long.
   */
  static async open(place: Place): Promise<Mailbox> {
    if (!place.surroundings.cache.has(place.path)) await lookTogether(place);
    const stat = await settledStat(place);
    if (stat === undefined) return new Mailbox(place, emptyIndex);
    assertTrusted(place.path, stat, place.trust);
    if (stat.octets === 0) return new Mailbox(place, emptyIndex);
    const { cache } = place.surroundings;
    const known = cache.get(place.path);
    if (known !== undefined && isCurrent(known, stat, place)) return new Mailbox(place, known);
    const mailbox = new Mailbox(place, await lastKnown(place, known));
    if (!isCurrent(mailbox.#index, stat, place)) await mailbox.#firstLook();
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

  /**
   * The mailbox opened for reading, if it had to be looked through: what was read then lies in the reader's window. Whoever
   * takes it closes it, and does so before anything else happens.
   */
  takeReader(): MessageReader | undefined {
    const reader = this.#reader;
    this.#reader = undefined;
    return reader;
  }

  /**
   * A reader of a copy that is what the header says; undefined if the mailbox is gone. Throws a Failure, a system error, or an
   * Error if other programs, which know no such lock, do not let it rest.
   */
  async copy(): Promise<MessageReader | undefined> {
    const locked = await this.#lockShared('IN-USE');
    if (locked === undefined) return undefined;
    try {
      for (let attempt = 0; attempt < maxCopies; attempt += 1) {
        const reader = await this.#copyOnce({ ...locked, stat: await locked.file.stat() });
        if (reader !== undefined) return reader;
      }
      throw new Error(`${this.place.path}: changed each time while it was copied`);
    } finally {
      await locked.release();
    }
  }

  /** undefined if the mailbox was changed meanwhile. */
  async #copyOnce(locked: SharedMailbox): Promise<MessageReader | undefined> {
    const { place } = this;
    if (!isCurrent(this.#index, locked.stat, place)) await this.#surveyShared(locked);
    const { files, windows, bootId } = place.surroundings;
    const file = await privateCopyOf(locked.file, place.copyPath, files);
    try {
      const isUndisturbed = isSameMailbox(this.header.stamp, stampOf(await locked.file.stat(), bootId));
      const stamp = stampOf(await file.stat(), bootId);
      if (isUndisturbed) return new MessageReader(file, { ...this.header, stamp }, windows);
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
    return undefined;
  }

  /** Looks through the mailbox, or through what was added to it, under a shared lock. undefined if it is gone. */
  async lookAgain(): Promise<Survey | undefined> {
    const locked = await this.#lockShared();
    if (locked === undefined) return undefined;
    try {
      return await this.#surveyShared(locked);
    } finally {
      await locked.release();
    }
  }

  /** A client that finds new mail fetches it, and it need not be read twice for that. */
  async #firstLook(): Promise<void> {
    const locked = await this.#lockShared('IN-USE');
    if (locked === undefined) return;
    const kept = new KeptOctets();
    try {
      const { isUndisturbed } = await this.#surveyShared(locked, (read) => kept.keep(read));
      if (isUndisturbed) this.#reader = this.#readerOf(locked, kept);
    } finally {
      kept.drop();
      if (this.#reader === undefined) await locked.release();
    }
  }

  #readerOf({ file, unlock }: SharedMailbox, kept: KeptOctets): MessageReader | undefined {
    const { windows } = this.place.surroundings;
    unlock();
    const ahead = kept.take(windows);
    return ahead && new MessageReader(file, this.header, windows, ahead);
  }

  async #lockShared(busyCode?: BusyCode): Promise<SharedMailbox | undefined> {
    const { path, trust, locks } = this.place;
    const locked = await lockMailboxShared(path, trust, locks, busyCode);
    if (locked === undefined) this.#index = emptyIndex;
    return locked;
  }

  async #surveyShared({ file, stat }: SharedMailbox, keep?: SurveyRequest['keep']): Promise<Survey> {
    const { path, locks, surroundings } = this.place;
    const isBeingWritten = await isDotlocked(surroundings.files, path, locks.staleDotlockMs);
    return this.survey(file, { stat, isBeingWritten, ...(keep && { keep }) });
  }

  /** The same under a lock that the caller has. */
  async survey(
    file: OpenFile,
    how: Pick<SurveyRequest, 'stat' | 'isBeingWritten' | 'everything' | 'keep'>,
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
    const { onDisk } = this.#index;
    if (isExtended) this.#know({ header, rows, unsaved: withAdded(this.#index), onDisk });
    else this.#know({ header, rows, unsaved: { kind: 'all' } });
  }

  /**
   * Writes down what a deletion is about to leave, beside what there is, both durably; `save` takes it away again. Lost, the
   * old one could not tell after a power cut whether the deletion was made, nor this one which of equal messages went.
   */
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
    const isRemembered = this.place.surroundings.cache.remembers(this.place.path);
    if (!isWorthSaving(this.#index, isRemembered && !this.#hasSuccessor)) return;
    try {
      await this.#write();
      // While the deletion is not finished, its recovery will need to know which of several equal messages went; then the
      // index does, and that of equal messages is durable by now.
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
    const { header, rows } = this.#index;
    if (rows !== undefined) return rows;
    const read = header.count === 0 ? Rows.none : await this.place.indexFile.readRows(header);
    if (read !== undefined) this.#know({ ...this.#index, rows: read });
    return read;
  }

  #know(index: MailboxIndex): void {
    this.#index = index;
    this.place.surroundings.cache.set(this.place.path, index);
  }

  /** What a deletion meant to leave, if a process died before it could say that it was done. */
  async #successor(): Promise<Rows | undefined> {
    const { nextIndexFile } = this.place;
    if ((await nextIndexFile.stat()) === undefined) return undefined;
    const header = await nextIndexFile.readHeader();
    this.#hasSuccessor ||= header !== undefined;
    return header && (await nextIndexFile.readRows(header));
  }
}

/** Each takes as long as all of it takes to read. */
const maxCopies = 3;

const withAdded = ({ header, unsaved }: MailboxIndex): Unsaved =>
  unsaved.kind === 'nothing' ? { kind: 'added', former: header } : unsaved;

/** A scan of this much is not done twice because a process was killed; less is left until the session ends. */
const savedAtOnceOctets = 16 * 1024 * 1024;

/**
 * Of a mailbox that this process does not know, all names are looked up that will be wanted one after the other: together
 * that is one wait for the disk, and not five. Afterwards they cost nothing.
 */
async function lookTogether({ path, indexFile, nextIndexFile, commit, surroundings }: Place): Promise<void> {
  await Promise.allSettled([
    surroundings.files.lstat(path),
    isMailboxPending(path, commit),
    indexFile.stat(),
    nextIndexFile.stat(),
    surroundings.files.lstat(dotlockPathOf(path)),
  ]);
}

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
