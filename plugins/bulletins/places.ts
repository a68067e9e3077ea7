import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { allowedName, type Identity, type PluginState } from 'popperd';

import { isThere } from './is-there.ts';
import { syncFolder } from './sync-folder.ts';

/** Where counters lie: in the users' homes, or in popper's state folder. */
export type CounterPlace = 'state' | 'home';

export const counterName = '.popbull';

/** Where the things of one user lie. */
export class Places {
  readonly #state: Pick<PluginState, 'folderOf'>;
  readonly #counters: CounterPlace;
  readonly #stateFolders = new Map<number, string>();

  constructor(state: Pick<PluginState, 'folderOf'>, counters: CounterPlace) {
    this.#state = state;
    this.#counters = counters;
  }

  /** The folder is there, where it is popper's to make. */
  async counterOf(identity: Identity): Promise<string> {
    if (this.#counters === 'home') return join(identity.home, counterName);
    const folder = join(await this.#rootOf(identity), folderNameOf(identity.user));
    return join(await made(folder), counterName);
  }

  /** Where messages lie beside a maildrop that cannot take them; undefined where nobody of this uid has any. */
  async boxOf(identity: Identity): Promise<string | undefined> {
    const root = await this.#rootOf(identity);
    return (await isThere(root)) ? this.#boxIn(root, identity) : undefined;
  }

  /** The same, made where it is not there. */
  async madeBoxOf(identity: Identity): Promise<string> {
    return made(this.#boxIn(await this.#rootOf(identity), identity));
  }

  #boxIn(root: string, { user }: Identity): string {
    return join(root, folderNameOf(user), 'messages');
  }

  /** Below the state folder of the uid: one uid may serve many users. */
  async #rootOf(identity: Identity): Promise<string> {
    const known = this.#stateFolders.get(identity.uid);
    const folder = known ?? (await this.#state.folderOf(identity));
    this.#stateFolders.set(identity.uid, folder);
    return join(folder, bulletinsName);
  }
}

/** Makes the folder where it is not there, so that a power cut does not take it away again, and a counter with it. */
async function made(folder: string): Promise<string> {
  if (await isThere(folder)) return folder;
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return folder;
  let above = dirname(folder);
  await syncFolder(above);
  while (above !== dirname(first)) {
    above = dirname(above);
    await syncFolder(above);
  }
  return folder;
}

export const bulletinsName = 'bulletins';

/** Names that popper allows are names of files, if they are short enough; no name begins with a dash. */
const folderNameOf = (user: string): string =>
  allowedName(user) && user.length <= maxNameOctets
    ? user
    : `-${createHash('sha256').update(user).digest('hex')}`;

const maxNameOctets = 200;
