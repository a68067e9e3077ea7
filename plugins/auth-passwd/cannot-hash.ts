/** This system cannot compute hashes of a kind. The message says what can be done. */
export class CannotHash extends Error {
  /** The message without what to do. */
  readonly what: string;
  readonly fix: string;

  constructor(what: string, fix: string, options: { readonly cause?: unknown } = {}) {
    super(`${what}: ${fix}`, options);
    this.name = 'CannotHash';
    this.what = what;
    this.fix = fix;
  }
}
