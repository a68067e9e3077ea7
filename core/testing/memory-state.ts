import { mkdtempSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Identity } from '../auth/login.ts';
import type { Claim, PluginState } from '../plugin/state.ts';
import { Failure } from '../protocol/failure.ts';

/** State for one test: locks in memory, and folders below a temporary one that is made when first asked for. */
export class MemoryState implements PluginState {
  readonly #claimed = new Set<string>();
  #folder: string | undefined;

  get folder(): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'popper-state-'));
    return this.#folder;
  }

  async folderOf({ uid }: Identity): Promise<string> {
    const folder = this.folderOfUid(uid);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  folderOfUid(uid: number): string {
    return join(this.folder, String(uid));
  }

  async claim({ uid }: Identity, key: string): Promise<Claim> {
    const claimed = `${uid} ${key}`;
    if (this.#claimed.has(claimed)) {
      throw new Failure('the maildrop is in use by another session', { code: 'IN-USE' });
    }
    this.#claimed.add(claimed);
    return {
      release: async () => {
        this.#claimed.delete(claimed);
      },
    };
  }

  /** Locks that are held now: none, once every session is over. */
  get heldClaims(): number {
    return this.#claimed.size;
  }

  /** Removes the folders. */
  async remove(): Promise<void> {
    const folder = this.#folder;
    this.#folder = undefined;
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

export const memoryState = (): MemoryState => new MemoryState();
