import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';

import { type NewMessage, OctetCounter } from 'popperd';

import { isThere } from './is-there.ts';
import { syncFolder } from './sync-folder.ts';

/** A message of the box. All that a listing needs is in its name. */
export interface BoxedMessage {
  readonly name: string;
  readonly octets: number;
  /** Differs for each key. */
  readonly uid: string;
}

/** Messages that lie beside a maildrop which cannot take them: a file for each, in a folder of the user's own. */
export class OverlayBox {
  readonly #folder: string;

  /** The folder is made by whoever adds the first message. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** In the order in which they came. Throws system errors. */
  async list(): Promise<readonly BoxedMessage[]> {
    if (!(await isThere(this.#folder))) return [];
    const names = await readdir(this.#folder);
    return names.flatMap((name) => boxed(name) ?? []).toSorted(inOrder);
  }

  /** Adds those that are not there, durably, all or none. Throws system errors. */
  async add(messages: readonly NewMessage[]): Promise<void> {
    const there = await this.list();
    const known = new Set(there.map(({ uid }) => uid));
    let serial = serialOf(there.at(-1));
    const added: string[] = [];
    try {
      for (const { key, octets } of messages) {
        if (known.has(uidOf(key))) continue;
        known.add(uidOf(key));
        serial += 1;
        const name = `${String(serial).padStart(serialDigits, '0')}-${octetsOf(octets)}-${uidOf(key)}`;
        await this.#write(name, octets);
        added.push(name);
      }
      if (added.length > 0) await syncFolder(this.#folder);
    } catch (error) {
      await this.remove(added).catch(() => {});
      throw error;
    }
  }

  /** Opens late, so that a message that cannot be read costs no more than its own RETR. */
  read({ name }: BoxedMessage, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return createReadStream(join(this.#folder, name), { signal });
  }

  /** Throws system errors; those that are gone already are none. */
  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) {
      await unlink(join(this.#folder, name)).catch((error: unknown) => {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      });
    }
    await syncFolder(this.#folder);
  }

  async #write(name: string, octets: Uint8Array): Promise<void> {
    const temporary = join(this.#folder, temporaryName);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    const handle = await open(temporary, flags, 0o600);
    try {
      await handle.writeFile(octets);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, join(this.#folder, name));
  }
}

const serialDigits = 10;
const temporaryName = '.next-message';

function boxed(name: string): BoxedMessage | undefined {
  const [, octets, uid] = /^\d{10}-(\d{1,15})-(bulletin-[0-9a-f]{32})$/.exec(name) ?? [];
  return octets === undefined || uid === undefined ? undefined : { name, octets: Number(octets), uid };
}

const inOrder = (one: BoxedMessage, other: BoxedMessage): number => serialOf(one) - serialOf(other);

const serialOf = (message: BoxedMessage | undefined): number =>
  Number(message?.name.slice(0, serialDigits) ?? 0);

const uidOf = (key: string): string =>
  `bulletin-${createHash('sha256').update(key, 'latin1').digest('hex').slice(0, 32)}`;

function octetsOf(octets: Uint8Array): number {
  const counter = new OctetCounter();
  counter.add(octets);
  return counter.end();
}
