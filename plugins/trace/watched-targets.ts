import { statSync } from 'node:fs';

import { readTargets } from './target-file.ts';
import { alive, includes, type Target } from './targets.ts';

/** How often the file is looked at, at most, in milliseconds. */
const lookEveryMs = 1000;

/** Who is traced, by a file that is looked at while lines go to and fro, and never else. */
export class WatchedTargets {
  readonly #path: () => string;
  readonly #troubled: (path: string, error: unknown) => void;
  #lookedAtMs = -Infinity;
  #version = '';
  #targets: readonly Target[] = [];

  /** `troubled` is told once of each file that is not believed. */
  constructor(path: () => string, troubled: (path: string, error: unknown) => void) {
    this.#path = path;
    this.#troubled = troubled;
  }

  /** Whether lines of this user, or of a client with this address, are wanted. Never throws. */
  includes(who: { readonly user: string | undefined; readonly address: string }): boolean {
    this.#lookIfDue();
    if (this.#targets.length === 0) return false;
    return includes(alive(this.#targets, Date.now()), who);
  }

  #lookIfDue(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs < lookEveryMs) return;
    this.#lookedAtMs = nowMs;
    const path = this.#path();
    const version = versionOf(path);
    if (version === this.#version) return;
    this.#version = version;
    try {
      this.#targets = readTargets(path);
    } catch (error) {
      this.#targets = [];
      this.#troubled(path, error);
    }
  }
}

/** Differs whenever the file is another one; empty where there is none. */
function versionOf(path: string): string {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? '' : [stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs, stat.mode].join(' ');
  } catch (error) {
    return String(error);
  }
}
