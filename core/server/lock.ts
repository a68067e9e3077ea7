import { tryLock, unlock } from 'fs-native-extensions';

/**
 * Takes an OFD lock (F_OFD_SETLK) on the whole file, 0 to infinity, without waiting: it excludes other sessions of this
 * process as well as the fcntl locks of other programs. An exclusive lock needs a descriptor open for writing, a shared
 * one a descriptor open for reading. Gives false where somebody else has it; closing the descriptor lets it go.
 */
export const lockFile = (descriptor: number, how: 'shared' | 'exclusive'): boolean =>
  tryLock(descriptor, 0, 0, { shared: how === 'shared' });

/** Lets go of it, and leaves the descriptor open. */
export const unlockFile = (descriptor: number): void => unlock(descriptor, 0, 0);

/** The same on a single octet of the file, whether or not it is there: see `session-locks.ts`. */
export const lockOctet = (descriptor: number, position: number): boolean =>
  tryLock(descriptor, position, 1, { shared: false });

export const unlockOctet = (descriptor: number, position: number): void => unlock(descriptor, position, 1);
