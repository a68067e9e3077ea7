/** The certificate or its key cannot be used. */
export class TlsFault extends Error {
  /** Which key of the configuration, which file, and why. */
  readonly what: string;
  /** What the operator is to do about it. */
  readonly fix: string;

  constructor(what: string, fix: string, cause?: unknown) {
    super(`${what}; to mend it: ${fix}`, { cause });
    this.name = 'TlsFault';
    this.what = what;
    this.fix = fix;
  }
}
