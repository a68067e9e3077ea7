import { Failure, type Identity, type Popper, type Role } from 'popperd';

import { type Files, fillReserve } from './commit/index.ts';
import { IndexCache } from './index-cache.ts';
import { Mailbox } from './mailbox.ts';
import { MboxMaildrop } from './mbox-maildrop.ts';
import type { Options } from './options.ts';
import { OwnHand } from './own-hand.ts';
import {
  journalFolderOf,
  mailboxPathOf,
  type Place,
  placeOf,
  reserveFolderOf,
  spoolFolderOf,
  type Surroundings,
  trustOf,
} from './place.ts';
import { isPending, recoverAll, recoverPlace } from './recovery.ts';
import { Retries } from './retries.ts';
import { spoolRootOf } from './spool-path.ts';
import { takeOver } from './take-over.ts';
import { HalfTaken } from './taken-note.ts';
import { hasTemporaryDrop, temporaryDropPathOf } from './temporary-drop.ts';
import { WindowPool } from './window-pool.ts';

/** Opens users' mboxes. One for a process: it keeps the indexes of those who come again. */
export class MboxStore {
  readonly #popper: StorePopper;
  readonly #options: Options;
  readonly #files: Files;
  readonly #folders = new Map<number, string>();
  readonly #reservedFolders = new Set<string>();
  readonly #retries = new Retries();
  readonly #tryDotlock: Surroundings['tryDotlock'];
  #keepsIndexes = false;
  #surroundings: Promise<Surroundings> | undefined;

  constructor(popper: StorePopper, options: Options, files: Files) {
    this.#popper = popper;
    this.#options = options;
    this.#files = files;
    this.#tryDotlock = this.#findWhoLocks();
  }

  /** Comes before all else. What opens mailboxes, for everybody or for one user, keeps small indexes in memory. */
  start(role: Role): void {
    this.#keepsIndexes = role === 'all' || role === 'worker';
  }

  /** The user's maildrop, locked for this session. Throws a Failure: IN-USE, SYS/PERM or SYS/TEMP. */
  async open(identity: Identity): Promise<MboxMaildrop> {
    const surroundings = await this.#getSurroundings();
    const { path, root } = mailboxPathOf(identity, surroundings);
    const { state } = this.#popper;
    // First, and without waiting: nobody may wait for this lock while he holds one on the mailbox.
    const claim = await state.claim(identity, path);
    try {
      const folder = await this.#folderOf(identity);
      const spoolFolder = spoolFolderOf(this.#options.spool, root);
      const trust = await trustOf(spoolFolder, identity.uid, surroundings);
      const place = placeOf(path, trust, folder, surroundings);
      if (this.#options.takeOverTemporaryDrop) await this.#takeOver(place);
      const mailbox = await Mailbox.open(place);
      this.#reserveIn(folder);
      return await MboxMaildrop.open(mailbox, claim, (error) => {
        if (isPending(error)) this.#retries.add(path, () => this.#finish(identity, place));
      });
    } catch (error) {
      await claim.release();
      throw error;
    }
  }

  /**
   * Mail that cannot be taken over stays where it is, and is no reason to be without the rest. Throws a Failure (SYS/TEMP) where
   * what was deleted of the rest would come back.
   */
  async #takeOver(place: Place): Promise<void> {
    const { path } = place;
    const { log } = this.#popper;
    try {
      if (!(await hasTemporaryDrop(this.#files, path))) return;
      const mailbox = await Mailbox.open(place);
      await mailbox.takeReader()?.close();
      const taken = await takeOver(mailbox);
      await mailbox.save();
      if (taken !== undefined) log.info('mail that a classic popper left was taken over', { path, ...taken });
    } catch (error) {
      log.error('mail that a classic popper left cannot be taken over, and stays there', {
        path: temporaryDropPathOf(path),
        error,
      });
      if (error instanceof HalfTaken)
        throw new Failure('older mail is being added, try again', { code: 'SYS/TEMP', cause: error });
    }
  }

  /** Finishes what a dead process left in this uid's mailboxes. */
  async recover(uid: number): Promise<void> {
    await recoverAll(uid, this.#popper.state.folderOfUid(uid), await this.#getSurroundings());
  }

  /** In a spool it is whoever may write there; in his home each user locks for himself. */
  #findWhoLocks(): Surroundings['tryDotlock'] {
    const { spool, lockMethods, staleDotlockMs } = this.#options;
    const noteFolder = async (): Promise<string> => journalFolderOf(await this.#folderOf(processIdentity()));
    const ownHand = new OwnHand({ files: this.#files, staleDotlockMs, noteFolder });
    if (spool.startsWith('{home}/') || !lockMethods.includes('dotlock'))
      return (mailboxPath) => ownHand.tryLock(mailboxPath);
    const { spoolLocks, baseFolder } = this.#popper;
    const locks = spoolLocks.add({
      name: 'dotlock',
      rootOf: (mailboxPath) => spoolRootOf(spool, mailboxPath, baseFolder),
      tryLock: (mailboxPath) => ownHand.tryLock(mailboxPath),
      resume: (mailboxPath) => ownHand.resume(mailboxPath),
      clear: () => ownHand.clear(),
    });
    return (mailboxPath) => locks.tryLock(mailboxPath);
  }

  /** What a session could not finish, for want of a working disk, say. */
  async #finish(identity: Identity, place: Place): Promise<void> {
    const claim = await this.#popper.state.claim(identity, place.path);
    try {
      await recoverPlace(place);
    } finally {
      await claim.release();
    }
  }

  /** Made once; it is not taken away while the daemon runs. */
  async #folderOf(identity: Identity): Promise<string> {
    const known = this.#folders.get(identity.uid);
    if (known !== undefined) return known;
    const folder = await this.#popper.state.folderOf(identity);
    await this.#makeJournalFolder(folder);
    this.#folders.set(identity.uid, folder);
    return folder;
  }

  /**
   * Durably: a power cut that takes it back takes the journals in it. Who made it may have died before he waited for the disk,
   * so each process does; but the reserve is made after that, and where there is one, it was done.
   */
  async #makeJournalFolder(folder: string): Promise<void> {
    const journalFolder = journalFolderOf(folder);
    const isThere = (await this.#files.lstat(journalFolder)) !== undefined;
    if (isThere && (await this.#files.lstat(reserveFolderOf(folder))) !== undefined) return;
    if (!isThere) await this.#files.createFolder(journalFolder);
    await this.#files.syncFolder(folder, 'store: the folder of the journals');
  }

  #getSurroundings(): Promise<Surroundings> {
    this.#surroundings ??= this.#findSurroundings().catch((error: unknown) => {
      this.#surroundings = undefined;
      throw error;
    });
    return this.#surroundings;
  }

  async #findSurroundings(): Promise<Surroundings> {
    return {
      files: this.#files,
      options: this.#options,
      baseFolder: this.#popper.baseFolder,
      log: this.#popper.log,
      cache: new IndexCache(this.#options.cacheOctets, this.#keepsIndexes),
      windows: new WindowPool(this.#options.readAheadOctets),
      tryDotlock: this.#tryDotlock,
      bootId: (await this.#files.bootId()) ?? '',
      forbiddenFolders: new Set(),
      folderGroups: new Map(),
    };
  }

  /** Fills the reserve of a folder once in a process. The login does not wait for it: it is for another day. */
  #reserveIn(folder: string): void {
    if (this.#options.reservedJournals === 0 || this.#reservedFolders.has(folder)) return;
    this.#reservedFolders.add(folder);
    void this.#fillReserve(folder).catch((error: unknown) => {
      this.#popper.log.warn('no journal could be reserved: a full disk would stop deletions', {
        folder,
        error,
      });
    });
  }

  async #fillReserve(folder: string): Promise<void> {
    const reserveFolder = reserveFolderOf(folder);
    await this.#files.createFolder(reserveFolder);
    const { reservedJournals, chunkOctets } = this.#options;
    const octets = 2 * (chunkOctets + journalOverheadOctets);
    await fillReserve(this.#files, reserveFolder, { count: reservedJournals, octets });
  }
}

type StorePopper = Pick<Popper, 'state' | 'spoolLocks' | 'log' | 'baseFolder'>;

/** Whose state folder is this process's own. */
const processIdentity = (): Identity => ({
  user: '',
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
  home: '/',
});

/** Header and record descriptions of a journal, amply. */
const journalOverheadOctets = 64 * 1024;
