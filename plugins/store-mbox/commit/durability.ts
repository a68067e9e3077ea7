import type { OpenFile } from './files.ts';
import type { CommitSettings } from './settings.ts';

/**
 * Every place where commit, append or recovery waits for the disk. Each is there because without it some power cut
 * loses, doubles or tears mail; fsyncs.test.ts takes them away one by one.
 */
export type SyncPoint =
  | 'begin: the first record, which decides'
  | 'begin: the name of the journal'
  | 'abandon: the journal says that nothing will happen'
  | 'abandon: the name of the journal is gone'
  | 'commit: a later record'
  | 'commit: a chunk, before the next record replaces its own'
  | 'commit: the cut, before the journal goes'
  | 'commit: the only cut'
  | 'append: the room, before the content'
  | 'append: the content, before the journal goes'
  | 'append: the room is taken back'
  | 'rewrite: the room, before what it holds'
  | 'rewrite: what the mailbox grew by, before old octets go'
  | 'rewrite: the old octets, before the journal goes'
  | 'rewrite: the room is taken back'
  | 'recovery: the journal as it was read'
  | 'recovery: the name of the journal'
  | 'recovery: the mailbox as it was found'
  | 'recovery: the chunk done again'
  | 'recovery: the content done again'
  | 'recovery: the new octets done again'
  | 'always: the journal is done';

/** Waits for the disk, as far as the operator wants that. */
export class Durability {
  readonly #settings: CommitSettings;

  constructor(settings: CommitSettings) {
    this.#settings = settings;
  }

  /** Content and size. */
  async content(file: OpenFile, point: SyncPoint): Promise<void> {
    if (this.#settings.fsync !== 'never') await file.dataSync(point);
  }

  /** Everything, for cuts. */
  async everything(file: OpenFile, point: SyncPoint): Promise<void> {
    if (this.#settings.fsync !== 'never') await file.sync(point);
  }

  async name(point: SyncPoint): Promise<void> {
    const { files, journalFolder, fsync } = this.#settings;
    if (fsync !== 'never') await files.syncFolder(journalFolder, point);
  }

  /** Only for those who want more than is needed. */
  async beyondNeed(file: OpenFile, point: SyncPoint): Promise<void> {
    if (this.#settings.fsync === 'always') await file.dataSync(point);
  }
}
