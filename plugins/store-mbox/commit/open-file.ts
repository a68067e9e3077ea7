import * as fs from 'node:fs';
import { promisify } from 'node:util';

import { Descriptor } from './descriptor.ts';
import { fileStat } from './file-stat.ts';
import type { OpenFile } from './files.ts';

const pool = {
  read: promisify(fs.read),
  write: promisify(fs.write),
  stat: promisify(fs.fstat),
  truncate: promisify(fs.ftruncate),
  sync: promisify(fs.fsync),
  dataSync: promisify(fs.fdatasync),
  close: promisify(fs.close),
};

/** A file whose calls go through the thread pool. */
export const openFile = (number: number): OpenFile => inPool(new Descriptor(number));

/**
 * The same, but what the kernel answers from its memory is asked on the spot: the facts of the inode, a block such as is
 * read at every visit (the header of an index, the end of a mailbox), and the end of what was written lately.
 */
export function openWarmFile(number: number): OpenFile {
  const descriptor = new Descriptor(number);
  const file = inPool(descriptor);
  return {
    ...file,
    stat: async () => fileStat(fs.fstatSync(descriptor.number, { bigint: true })),
    read: async (target, position) =>
      isInMemory(descriptor.number, target.length, position)
        ? readHere(descriptor.number, target, position)
        : file.read(target, position),
    close: () => descriptor.close(fs.closeSync),
  };
}

function isInMemory(descriptor: number, octets: number, position: number): boolean {
  if (octets <= blockOctets) return true;
  if (octets > fewOctets) return false;
  const { size, mtimeMs } = fs.fstatSync(descriptor);
  return position >= size - endOctets && Date.now() - mtimeMs < writtenLatelyMs;
}

const blockOctets = 4096;
/** To copy more holds the event loop for longer than a trip through the pool takes. */
const fewOctets = 128 * 1024;
/** Mail is added at the end. */
const endOctets = 256 * 1024;
const writtenLatelyMs = 10 * 60_000;

const inPool = (descriptor: Descriptor): OpenFile => ({
  descriptor: descriptor.number,
  stat: async () => fileStat(await descriptor.use((of) => pool.stat(of, { bigint: true }))),
  read: (target, position) => readAll(descriptor, target, position),
  write: (source, position) => writeAll(descriptor, source, position),
  truncate: (octets) => descriptor.use((of) => pool.truncate(of, octets)),
  sync: () => descriptor.use(pool.sync),
  dataSync: () => descriptor.use(pool.dataSync),
  close: () => descriptor.close(pool.close),
});

function readHere(descriptor: number, target: Uint8Array, position: number): number {
  let done = 0;
  for (let octets = -1; octets !== 0 && done < target.length; done += octets) {
    octets = fs.readSync(descriptor, target, done, target.length - done, position + done);
  }
  return done;
}

async function readAll(descriptor: Descriptor, target: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const rest = target.length - done;
    const { bytesRead } = await descriptor.use((of) => pool.read(of, target, done, rest, position + done));
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

async function writeAll(descriptor: Descriptor, source: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < source.length) {
    const rest = source.length - done;
    const { bytesWritten } = await descriptor.use((of) =>
      pool.write(of, source, done, rest, position + done),
    );
    // Some full or broken file systems answer zero for ever instead of an error.
    if (bytesWritten === 0) throw Object.assign(new Error('write: nothing was written'), { code: 'EIO' });
    done += bytesWritten;
  }
}
