import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats, writeSync } from 'node:fs';
import { constants as system } from 'node:os';

/** Why a trace cannot be written there, in the classic popper's words; `errno` is the system's number. */
export class CannotTrace extends Error {
  readonly path: string;
  readonly errno: number;

  constructor(path: string, errno: number, cause?: unknown) {
    super(`Unable to open trace file "${path}", err = ${errno}`, { cause });
    this.name = 'CannotTrace';
    this.path = path;
    this.errno = errno;
  }
}

/** Who hears of what becomes of the lines. */
export interface TraceWatcher {
  /** Lines cannot be written. Called once, until they can be again. */
  losing(error: unknown): void;
  /** They can be again, and so many are not there. */
  goesOn(lostLines: number): void;
  /** Another file has the name by now, and cannot be written; lines go where they went. Called once for each of them. */
  stays(error: CannotTrace): void;
}

/** How often it is looked whether the name still leads to the file, in milliseconds. */
const lookEveryMs = 1000;

/** Appends lines to a file, each by one call, so that several processes may write to the same one. */
export class TraceFile {
  readonly #path: string;
  readonly #watcher: TraceWatcher;
  #descriptor: number | undefined;
  #lookedAtMs = performance.now();
  #lostLines = 0;
  /** The file does not end with a line end. */
  #isTorn = false;
  #hasToldThatItStays = false;

  private constructor(path: string, descriptor: number, watcher: TraceWatcher) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#watcher = watcher;
  }

  /** Makes it (0600) where it is not there. Throws a CannotTrace. */
  static open(path: string, watcher: TraceWatcher): TraceFile {
    return new TraceFile(path, openTrace(path), watcher);
  }

  /** Writes a line, line end included, or drops it: a trace stops nobody's mail. Never throws. */
  write(line: string): void {
    if (this.#descriptor === undefined) return;
    this.#follow();
    const octets = Buffer.from(this.#isTorn ? `\n${line}` : line);
    try {
      const written = writeSync(this.#descriptor, octets);
      if (written < octets.length)
        return this.#lose(written > 0, new Error('only a part of a line was written'));
    } catch (error) {
      return this.#lose(this.#isTorn, error);
    }
    this.#wrote();
  }

  /** What is written afterwards is dropped. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #lose(isTorn: boolean, error: unknown): void {
    this.#isTorn = isTorn;
    this.#lostLines += 1;
    if (this.#lostLines === 1) this.#watcher.losing(error);
  }

  #wrote(): void {
    this.#isTorn = false;
    if (this.#lostLines === 0) return;
    this.#watcher.goesOn(this.#lostLines);
    this.#lostLines = 0;
  }

  /** Logs are rotated by renaming: then the next line begins a new file. */
  #follow(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs < lookEveryMs) return;
    this.#lookedAtMs = nowMs;
    if (this.#descriptor === undefined || leadsTo(this.#path, this.#descriptor)) return;
    try {
      const next = openTrace(this.#path);
      closeSync(this.#descriptor);
      this.#descriptor = next;
      this.#isTorn = false;
      this.#hasToldThatItStays = false;
    } catch (error) {
      if (!(error instanceof CannotTrace)) throw error;
      if (!this.#hasToldThatItStays) this.#watcher.stays(error);
      this.#hasToldThatItStays = true;
    }
  }
}

/** What lies there is believed to be a trace only where nobody can have led us elsewhere: no link, pipe or device. */
export function faultOf(stat: Stats): number | undefined {
  if (stat.isDirectory()) return system.errno.EISDIR;
  if (stat.isSymbolicLink()) return system.errno.ELOOP;
  if (!stat.isFile()) return system.errno.EINVAL;
  return stat.nlink > 1 ? system.errno.EMLINK : undefined;
}

// O_NONBLOCK: a pipe under this name must not make the daemon wait for a reader.
const flags =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function openTrace(path: string): number {
  const descriptor = tryToOpen(path);
  const fault = faultOf(fstatSync(descriptor));
  if (fault === undefined) return descriptor;
  closeSync(descriptor);
  throw new CannotTrace(path, fault);
}

/** Whether one that is there can be opened, which changes nothing of it. Throws a CannotTrace. */
export const tryTrace = (path: string): void => closeSync(openTrace(path));

function tryToOpen(path: string): number {
  try {
    return openSync(path, flags, 0o600);
  } catch (error) {
    throw new CannotTrace(path, errnoOf(error), error);
  }
}

function leadsTo(path: string, descriptor: number): boolean {
  try {
    const [named, open] = [lstatSync(path), fstatSync(descriptor)];
    return named.ino === open.ino && named.dev === open.dev;
  } catch {
    return false;
  }
}

/** Node counts them below zero. */
export const errnoOf = (error: unknown): number =>
  error instanceof Error && 'errno' in error && typeof error.errno === 'number'
    ? Math.abs(error.errno)
    : system.errno.EIO;
