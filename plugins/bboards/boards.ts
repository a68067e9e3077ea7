import { type FileHandle, stat } from 'node:fs/promises';

import type { Identity, Logger } from 'popperd';

import { isSameFile, openFile } from './board-file.ts';
import { type Board, type BoardFolder, isThere } from './board-folder.ts';
import { BoardMaildrop } from './board-maildrop.ts';
import { archiveSuffix } from './board-name.ts';
import { longListing } from './long-listing.ts';
import { isForAll, mayRead } from './reader-rights.ts';
import { failureOf, folderFailureOf, notForYou, unknownBoard } from './refusals.ts';
import type { Survey, Surveys } from './surveys.ts';

/** A board has two mboxes. */
export type Which = 'board' | 'archive';

type Log = Pick<Logger, 'warn'>;

/** What users do with boards. What a client is to hear of it is thrown as a Failure. */
export class Boards {
  readonly #folder: BoardFolder;
  readonly #surveys: Surveys;
  readonly #log: Log;

  constructor(folder: BoardFolder, surveys: Surveys, log: Log) {
    this.#folder = folder;
    this.#surveys = surveys;
    this.#log = log;
  }

  /** `NAME MAXIMA` of each board that everybody may read (RFC 1082). The first time all of them are looked through. */
  async listing(): Promise<AsyncIterable<string>> {
    return this.#lines(await this.#folder.list().catch(throwFolderFailure));
  }

  async find(word: string): Promise<Board> {
    const board = await this.#folder.find(word).catch(throwFolderFailure);
    if (board === undefined) throw unknownBoard();
    return board;
  }

  /** Looks it through, so that `open` will not take long; throws where the user may not read it. */
  async prepare(board: Board, which: Which, user: Identity): Promise<Survey> {
    const { handle, survey } = await this.#open(pathOf(board, which), user);
    await handle.close();
    return survey;
  }

  async open(board: Board, which: Which, user: Identity): Promise<BoardMaildrop> {
    const path = pathOf(board, which);
    const { handle, survey } = await this.#open(path, user);
    const name = which === 'archive' ? `${board.name}${archiveSuffix}` : board.name;
    return new BoardMaildrop({ name, path, handle, columns: survey.columns });
  }

  /** The 14 lines of RFC 1082. */
  async longListing(board: Board, user: Identity): Promise<readonly string[]> {
    const { stats, columns } = await this.prepare(board, 'board', user);
    const hasArchive = await isThere(board.archivePath);
    return longListing(board, { hasArchive, maxima: columns.maxima, changed: stats.mtime });
  }

  async *#lines(boards: readonly Board[]): AsyncGenerator<string> {
    for (const { name, path } of boards) {
      const maxima = await this.#maximaForAll(path);
      if (maxima !== undefined) yield `${name} ${maxima}`;
    }
  }

  /** Undefined for a board that is not for everybody, and for one that cannot be read now, which the log says. */
  async #maximaForAll(path: string): Promise<number | undefined> {
    try {
      const stats = await stat(path, { bigint: true });
      if (!stats.isFile() || !isForAll({ mode: Number(stats.mode) })) return undefined;
      return await this.#surveys.maximaOf(path, stats);
    } catch (error) {
      this.#log.warn('a bboard is left out of the list', { file: path, error });
      return undefined;
    }
  }

  async #open(path: string, user: Identity): Promise<{ handle: FileHandle; survey: Survey }> {
    for (let attempt = 1; ; attempt += 1) {
      const opened = await this.#tryOpen(path, user).catch(throwFailure);
      if (opened !== undefined) return opened;
      if (attempt === maxAttempts) throw failureOf(new Error(`${path} is replaced again and again`));
    }
  }

  /** Undefined where another file took its place while it was looked through. */
  async #tryOpen(path: string, user: Identity): Promise<{ handle: FileHandle; survey: Survey } | undefined> {
    const handle = await openFile(path);
    let kept: Survey | undefined;
    try {
      const stats = await handle.stat({ bigint: true });
      const { uid, gid, mode } = stats;
      if (!mayRead({ uid: Number(uid), gid: Number(gid), mode: Number(mode) }, user)) throw notForYou();
      const survey = await this.#surveys.of(path, stats);
      if (!isSameFile(stats, survey.stats)) return undefined;
      kept = survey;
      return { handle, survey };
    } finally {
      if (kept === undefined) await handle.close();
    }
  }
}

const maxAttempts = 3;

const pathOf = ({ path, archivePath }: Board, which: Which): string =>
  which === 'archive' ? archivePath : path;

const throwFailure = (error: unknown): never => {
  throw failureOf(error);
};

const throwFolderFailure = (error: unknown): never => {
  throw folderFailureOf(error);
};
