import { classicLine, type Logger } from 'popperd';

import { errnoOf } from './bulletin-file.ts';

/**
 * What goes wrong with bulletins, for the log. The first four are qpopper's lines word for word: programs look for them. `user` is
 * whose session it was.
 */
export class Complaints {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  folder(path: string, user: string, error: unknown): void {
    this.#log.warn(`Unable to open bulletin directory '${path}'. (${errnoOf(error)})`, {
      ...classicLine,
      user,
      error,
    });
  }

  counter(user: string, error: unknown): void {
    this.#log.warn(`Unable to create .popbull file (${errnoOf(error)})`, { ...classicLine, user, error });
  }

  file(path: string, user: string, error: unknown): void {
    this.#log.warn(`Unable to open bulletin file ${path} (${errnoOf(error)})`, {
      ...classicLine,
      user,
      error,
    });
  }

  envelope(path: string, user: string): void {
    this.#log.warn(`Bulletin ${path} does not start with a valid "From " separator`, {
      ...classicLine,
      user,
    });
  }

  group(path: string, user: string, error: unknown): void {
    this.#log.warn('nobody can tell whom a bulletin is for', { path, user, error });
  }

  expiry(path: string, text: string): void {
    this.#log.warn('the Expires: of a bulletin is no date, so it does not expire', { path, text });
  }

  /** The session has the maildrop as it was. */
  append(user: string, error: unknown): void {
    this.#log.warn('bulletins could not be added to a maildrop', { user, error });
  }

  /** They are in the maildrop, and the counter does not say so. */
  uncounted(user: string, error: unknown): void {
    this.#log.error('bulletins were added and could not be counted, so nothing is deleted until they are', {
      user,
      error,
    });
  }

  overlay(user: string, error: unknown): void {
    this.#log.warn('bulletins beside a maildrop could not be read', { user, error });
  }

  added(user: string, names: readonly string[]): void {
    this.#log.info('bulletins added', { user, bulletins: names });
  }
}
