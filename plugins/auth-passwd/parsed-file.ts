import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

import { FileFault, fileFault } from './file-fault.ts';
import type { LineProblem } from './parse-lines.ts';
import { type Owner, readWhole, versionOf, type WholeFile } from './read-whole.ts';

export interface ParsedFileOptions<Content extends { readonly problems: readonly LineProblem[] }> {
  /** Makes of the text what is asked for. Text is latin1, so that octets stay what they are. */
  readonly parse: (text: string) => Content | Promise<Content>;
  /** Told of every problem once for each version of the file: `what` names file and line. */
  readonly report: (what: string, fix: string) => void;
  /** True where nobody but the daemon ought to read it: a file that everybody can read is reported. */
  readonly isSecret?: boolean;
  /** Whose the file may be, besides root's. Left out: this process's user's. */
  readonly daemon?: Owner | undefined;
  /** What an error of the system means for this file and what is to be done, by its code (`ENOENT`). */
  readonly explanations?: ReadonlyMap<string, string>;
  /** For so long after a look at the file what it held counts as current, where the caller allows it. */
  readonly trustedForMs?: number;
  /** A file that changed less than this ago may be in the middle of being written: it is waited for. */
  readonly settledAfterMs?: number;
  /** The same for one whose last line has no end, or that has become empty: until then what it held before stays. */
  readonly finishedAfterMs?: number;
}

interface Loaded<Content> {
  readonly version: string;
  readonly content: Content;
}

/** A version that was looked at and not taken, and when it is to be looked at again. */
interface Refused {
  readonly version: string;
  readonly untilMs: number;
}

/** Reading a file that does not come to rest is tried so often. */
const maxTries = 10;
/** What keeps a version from being taken may pass by itself (too many open files): it is tried again after so long. */
const retryAfterMs = 1000;
const maxReported = 20;
const defaults = {
  isSecret: false,
  explanations: new Map<string, string>(),
  trustedForMs: 20,
  settledAfterMs: 100,
  finishedAfterMs: 5000,
} as const;
const lineFix = 'mend the line or remove it; until then nobody logs in by it';

/**
 * What a file of accounts holds, read anew when it changes. A version that cannot be read, or not be trusted, or that
 * is still being written, never takes the place of a good one.
 */
export class ParsedFile<Content extends { readonly problems: readonly LineProblem[] }> {
  readonly #file: string;
  readonly #options: Required<Omit<ParsedFileOptions<Content>, 'daemon'>> &
    Pick<ParsedFileOptions<Content>, 'daemon'>;
  #loaded: Loaded<Content> | undefined;
  #refused: Refused | undefined;
  #lookedAtMs = -Infinity;
  #looking: Promise<Content> | undefined;
  #reported: string | undefined;

  constructor(file: string, options: ParsedFileOptions<Content>) {
    this.#file = file;
    this.#options = { ...defaults, ...options };
  }

  /** What it holds now. Throws a FileFault where the file could never be used yet. */
  current(): Promise<Content> {
    // Logins that come together share one look.
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** The same, but it may be some milliseconds old: a look costs a busy server more than a session does. */
  async recent(): Promise<Content> {
    const isTrusted = performance.now() - this.#lookedAtMs < this.#options.trustedForMs;
    return this.#loaded !== undefined && isTrusted ? this.#loaded.content : this.current();
  }

  async #look(): Promise<Content> {
    const before = this.#loaded;
    this.#lookedAtMs = performance.now();
    try {
      const facts = await stat(this.#file, { bigint: true });
      const version = versionOf(facts);
      if (before !== undefined && (before.version === version || this.#isRefused(version)))
        return before.content;
      if (before !== undefined) this.#refuse(version, retryAfterMs);
      return await this.#load();
    } catch (error) {
      const fault = fileFault(this.#file, error, this.#options.explanations);
      if (before === undefined) throw fault;
      this.#reportOnce(fault.message);
      return before.content;
    }
  }

  async #load(): Promise<Content> {
    const { octets, version, advice } = await this.#readSettled();
    const content = await this.#options.parse(octets.toString('latin1'));
    this.#loaded = { version, content };
    this.#refused = undefined;
    this.#reported = undefined;
    if (advice !== undefined && this.#options.isSecret)
      this.#options.report(`${this.#file}: ${advice.what}`, advice.fix);
    this.#reportLines(content);
    return content;
  }

  async #readSettled(): Promise<WholeFile> {
    for (let tries = 0; tries < maxTries; tries++) {
      const facts = await stat(this.#file, { bigint: true });
      const restMs = this.#options.settledAfterMs - ageMsOf(facts);
      // A time in the future is a clock that was set back: nothing to wait for.
      if (restMs > 0 && restMs <= this.#options.settledAfterMs) {
        await setTimeout(restMs);
        continue;
      }
      const whole = await readWhole(this.#file, this.#options.daemon);
      if (whole === undefined) continue;
      this.#assertFinished(whole, facts);
      return whole;
    }
    throw new FileFault(this.#file, 'does not stop changing, so it was not read');
  }

  // A program that writes in place may pause anywhere. Only what it held before makes it worth the wait.
  #assertFinished({ octets, version }: WholeFile, facts: BigIntStats): void {
    if (this.#loaded === undefined || (octets.length > 0 && octets.at(-1) === 0x0a)) return;
    const restMs = this.#options.finishedAfterMs - ageMsOf(facts);
    if (restMs <= 0) return;
    this.#refuse(version, restMs);
    const what = octets.length === 0 ? 'is empty' : 'ends in a line without a line end';
    throw new FileFault(
      this.#file,
      `${what}, so it may not be written to its end: it is taken as it is when left alone for ${this.#options.finishedAfterMs} ms`,
    );
  }

  #refuse(version: string, forMs: number): void {
    this.#refused = { version, untilMs: performance.now() + forMs };
  }

  #isRefused(version: string): boolean {
    return this.#refused?.version === version && performance.now() < this.#refused.untilMs;
  }

  #reportLines({ problems }: Content): void {
    for (const { lineNumber, reason } of problems.slice(0, maxReported)) {
      this.#options.report(`${this.#file}:${lineNumber}: ${reason}`, lineFix);
    }
    const more = problems.length - maxReported;
    if (more > 0) this.#options.report(`${this.#file}: ${more} more lines have problems`, lineFix);
  }

  #reportOnce(what: string): void {
    if (this.#reported === what) return;
    this.#reported = what;
    this.#options.report(what, 'mend the file; until then what was read before stays in force');
  }
}

// Not the time of the last write alone: touch(1) and cp -p set that one, and nobody sets this.
const ageMsOf = ({ ctimeMs }: { readonly ctimeMs: bigint }): number => Date.now() - Number(ctimeMs);
