import { Failure } from 'popperd';

import { errorCode } from './board-file.ts';
import { BoardLocked } from './surveys.ts';

/** In the words of RFC 1082. */
export const unknownBoard = (cause?: unknown): Failure => new Failure('no such bboard', { cause });

export const notForYou = (cause?: unknown): Failure =>
  new Failure('this bboard is not open to you', { code: 'SYS/PERM', cause });

/** What the client hears of whatever went wrong with a board; the log gets the rest. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof BoardLocked)
    return new Failure('the bboard is being written to, try again', { code: 'SYS/TEMP', cause: error });
  switch (errorCode(error)) {
    case 'ENOENT':
      return unknownBoard();
    case 'ENOTFILE':
      return unknownBoard(error);
    case 'EACCES':
      return notForYou(error);
    default:
      return unreadable(error);
  }
}

/** The same of the folder, which is the operator's to mend. */
export const folderFailureOf = (error: unknown): Failure =>
  error instanceof Failure ? error : unreadable(error);

const unreadable = (cause: unknown): Failure =>
  new Failure('the bboards cannot be read now, try again later', { code: 'SYS/TEMP', cause });
