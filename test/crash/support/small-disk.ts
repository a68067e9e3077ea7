import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, rmdir, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A small file system of its own that can really be full. */
export class SmallDisk {
  /** Where it is mounted. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Where it will be mounted. */
  static async place(): Promise<string> {
    return mkdtemp(join(tmpdir(), 'popper-disk-'));
  }

  /** Mounts it for the time of a test. Throws where this machine lets nobody do that. */
  static async mount(t: TestContext, folder: string, octets: number): Promise<SmallDisk> {
    const image = `${folder}.image`;
    t.after(() => unmount(folder, image));
    await writeFile(image, '');
    await truncate(image, octets);
    // No blocks kept back for root, who runs this.
    await run('mkfs.ext4', ['-q', '-m', '0', image], { env: withSbin });
    await run('mount', ['-o', 'loop', image, folder], { env: withSbin });
    return new SmallDisk(folder);
  }

  /** Takes all the space that is left, to the last block. */
  async fill(): Promise<void> {
    const file = await open(join(this.folder, 'filler'), 'a');
    try {
      for (let octets = 1024 * 1024; octets >= 512; octets >>= 1) {
        await writeUntilFull(() => file.appendFile(Buffer.alloc(octets, 1)));
      }
      // The kernel may have been too careful while it had not yet decided where all this goes.
      await file.sync();
      await writeUntilFull(() => file.appendFile(Buffer.alloc(512, 1)));
    } finally {
      await file.close();
    }
  }

  /** Gives it back. */
  async empty(): Promise<void> {
    await rm(join(this.folder, 'filler'));
  }
}

const withSbin = { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };

async function unmount(folder: string, image: string): Promise<void> {
  // It was not mounted where that failed.
  await run('umount', [folder], { env: withSbin }).catch(() => {});
  await rmdir(folder);
  await rm(image);
}

async function writeUntilFull(write: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await write();
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return;
      throw error;
    }
  }
}
