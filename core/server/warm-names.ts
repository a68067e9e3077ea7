import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Names that this process has looked up lately on a file system of this machine. The kernel has what it knows of them in
 * memory, so a look at one (lstat, open) takes two microseconds on the spot, but forty through the thread pool. Any other
 * name may have to wait for a disk or, on a network file system, for another machine: it belongs into the pool.
 */
export class WarmNames {
  #current = new Generation();
  #former = new Generation();
  #turnsAtMs = performance.now() + generationMs;

  /** Whether it may be looked up on the spot; whoever asks is taken to do so. */
  has(path: string): boolean {
    this.#turn();
    if (this.#current.names.has(path)) return true;
    if (!this.#former.names.has(path)) return false;
    this.#current.names.add(path);
    return true;
  }

  /** After a look in the pool, whether or not the name was there. */
  async add(path: string): Promise<void> {
    const { names, folders } = this.#current;
    const folder = dirname(path);
    const isLocal = folders.get(folder) ?? isOnThisMachine(folder);
    folders.set(folder, isLocal);
    if (await isLocal) names.add(path);
  }

  #turn(): void {
    if (performance.now() < this.#turnsAtMs && this.#current.names.size < maxNames) return;
    this.#former = this.#current;
    this.#current = new Generation();
    this.#turnsAtMs = performance.now() + generationMs;
  }
}

/** What was looked up from one turn to the next; what nobody asks for in two is forgotten. */
class Generation {
  readonly names = new Set<string>();
  readonly folders = new Map<string, Promise<boolean>>();
}

const generationMs = 5 * 60_000;
const maxNames = 50_000;

/** Magic numbers of statfs(2): ext2 to ext4, XFS, Btrfs, tmpfs, ramfs, overlayfs, F2FS, ZFS. */
const localTypes = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x858458f6, 0x794c7630, 0xf2f52010, 0x2fc12fc1,
]);

async function isOnThisMachine(folder: string): Promise<boolean> {
  try {
    return localTypes.has((await statfs(folder)).type);
  } catch {
    return false;
  }
}
