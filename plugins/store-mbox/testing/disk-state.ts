import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';

import { Failure, lockFile, type Claim, type Identity, type Maildrop, type PluginState } from 'popperd';

import { realFiles } from '../commit/index.ts';
import { options } from '../options.ts';
import { MboxStore } from '../store.ts';
import { identityOf, ownSpoolLocks } from './mbox-under-test.ts';

/** State that several processes share: a session lock is a lock on a file, as it is in the daemon. */
class DiskState implements PluginState {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get folder(): string {
    return join(this.#folder, '.state');
  }

  async folderOf({ uid }: Identity): Promise<string> {
    await mkdir(this.folderOfUid(uid), { recursive: true, mode: 0o700 });
    return this.folderOfUid(uid);
  }

  folderOfUid(uid: number): string {
    return join(this.folder, String(uid));
  }

  async claim(identity: Identity, key: string): Promise<Claim> {
    const name = `${createHash('sha256').update(key).digest('hex')}.lock`;
    const file = await open(join(await this.folderOf(identity), name), 'a+', 0o600);
    if (lockFile(file.fd, 'exclusive')) return { release: () => file.close() };
    await file.close();
    throw new Failure('in use', { code: 'IN-USE' });
  }
}

/** Opens the one mailbox of a folder as another process would. */
export function openBeside(folder: string): Promise<Maildrop> {
  const settings = options.parse({ spool: join(folder, '{user}'), reservedJournals: 0 });
  const surroundings = {
    state: new DiskState(folder),
    spoolLocks: ownSpoolLocks,
    log: console,
    baseFolder: folder,
  };
  return new MboxStore(surroundings, settings, realFiles).open(identityOf('mrose'));
}
