import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { Letter } from '../receive.ts';
import { type Fault, isOpenToAll, type Isolation, type Transport } from './transport.ts';

const chunkOctets = 256 * 1024;

/** Nothing is sent: each message becomes a file, with its envelope in front. */
export class Directory implements Transport {
  readonly lineEnd = '\r\n';
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async send(letter: Letter): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const name = `${new Date().toISOString().replaceAll(/[:.]/g, '-')}-${randomUUID()}`;
    const half = join(this.#folder, `.${name}.tmp`);
    try {
      await write(letter, half);
      await rename(half, join(this.#folder, `${name}.eml`));
    } catch (error) {
      await unlink(half).catch(() => {});
      throw error;
    }
  }

  async fault(isolation: Isolation = 'none'): Promise<Fault | undefined> {
    if (isolation === 'user') return this.#faultForUsers();
    if (await canWriteIn(this.#folder)) return undefined;
    return {
      kind: 'problem',
      what: `no messages can be written to ${this.#folder}`,
      fix: 'let the user that serves sessions write there, or set transport.folder',
    };
  }

  /** Whoever came first would make it, for himself alone. */
  async #faultForUsers(): Promise<Fault | undefined> {
    if (await isOpenToAll(this.#folder, 0o003).catch(() => false)) return undefined;
    return {
      kind: 'problem',
      what: `not every user can write messages to ${this.#folder}, and users send as themselves with isolation: 'user'`,
      fix: `install -d -m 1733 ${this.#folder}`,
    };
  }
}

/** One that is not there yet is made in the nearest folder above that is. */
async function canWriteIn(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return (await stat(folder)).isDirectory();
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return isMissing && canWriteIn(dirname(folder));
  }
}

async function write({ envelope, file, octets }: Letter, path: string): Promise<void> {
  const copy = await open(path, 'wx', 0o600);
  try {
    await copy.writeFile(
      `X-Envelope-From: ${envelope.from}\r\nX-Envelope-To: ${envelope.to.join(',\r\n\t')}\r\n`,
    );
    const buffer = Buffer.alloc(Math.min(chunkOctets, octets));
    for (let position = 0; position < octets;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) throw new Error('the spool file became shorter');
      await copy.writeFile(buffer.subarray(0, bytesRead));
      position += bytesRead;
    }
    await copy.sync();
  } finally {
    await copy.close();
  }
}
