import type { Identity, PluginState } from 'popperd';

import { MemoryDisk } from '../commit/testing/memory-disk.ts';
import type { Random } from '../commit/testing/random.ts';
import { options } from '../options.ts';
import { MboxStore } from '../store.ts';

/** What came of a session: what was listed, and whether the client was told that its deletions are done. */
export interface MemorySession {
  readonly uids: readonly string[];
  readonly isAnswered: boolean;
}

/** One mailbox on a disk that loses power, and the whole store over it. Nobody else locks it. */
export class MemorySpool {
  readonly disk: MemoryDisk;
  #store: MboxStore;

  constructor(random: Random, content: string) {
    this.disk = new MemoryDisk(random, sectorOctets);
    this.disk.put(mailboxPath, Buffer.from(content, 'latin1'));
    this.#store = this.#newStore();
  }

  get content(): string {
    return this.disk.content(mailboxPath)?.toString('latin1') ?? '';
  }

  deliver(text: string): void {
    this.disk.deliver(mailboxPath, Buffer.from(text, 'latin1'));
  }

  /** The power goes, and the machine starts again. */
  async losePower(): Promise<void> {
    this.disk.cutPower();
    this.#store = this.#newStore();
    await this.#store.recover(identity.uid);
  }

  /** Lists, deletes these, and leaves. Throws where the process dies before anything was asked for. */
  async session(deleted: readonly number[] = []): Promise<MemorySession> {
    const maildrop = await this.#store.open(identity);
    await maildrop.load();
    const uids = Array.from({ length: maildrop.count }, (_, index) => maildrop.uidOf(index));
    let isAnswered = false;
    try {
      await maildrop.commit(new Set(deleted));
      isAnswered = true;
      await maildrop.close();
    } catch (error) {
      if (!this.disk.dead) throw error;
    }
    return { uids, isAnswered };
  }

  #newStore(): MboxStore {
    const popper = { state, spoolLocks: uncontested, log: silent, baseFolder: '/' };
    return new MboxStore(popper, settings, this.disk.files());
  }
}

const sectorOctets = 1024;
const mailboxPath = '/spool/mrose';
const identity: Identity = { user: 'mrose', uid: 0, gid: 0, home: '/nonexistent' };
const stateFolder = '/state/0';

// The kernel locks no file in memory, and the real disk has no such spool to ask for its group.
const settings = options.parse({
  spool: '/spool/{user}',
  mailGroup: 0,
  lockMethods: ['dotlock'],
  reservedJournals: 0,
});
const dotlock = { refresh: async () => {}, release: async () => 'released' as const };
const uncontested = { add: () => ({ tryLock: async () => dotlock }) };

const state: PluginState = {
  folder: '/state',
  folderOf: async () => stateFolder,
  folderOfUid: () => stateFolder,
  claim: async () => ({ release: async () => {} }),
};

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
