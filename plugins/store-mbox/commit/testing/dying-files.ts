import type { Files, OpenFile } from '../files.ts';

/** Comes before each call that changes a file or a name; a call that never returns is a death at that point. */
export type BeforeChange = (call: string, path: string) => Promise<void>;

/**
 * Fault points for the file layer: `before` is asked before each call that changes anything, and once more in the
 * middle of each write, so that a process can die with half of it done.
 */
export function withFaultPoints(files: Files, before: BeforeChange): Files {
  return {
    ...files,
    open: async (path, mode) => {
      if (mode === 'create') await before('create', path);
      return pointed(await files.open(path, mode), path, before);
    },
    rename: async (from, to) => {
      await before('rename', from);
      await files.rename(from, to);
    },
    link: async (from, to) => {
      await before('link', from);
      await files.link(from, to);
    },
    unlink: async (path) => {
      await before('unlink', path);
      await files.unlink(path);
    },
    createFolder: async (path) => {
      await before('createFolder', path);
      await files.createFolder(path);
    },
    syncFolder: async (path, point) => {
      await before('syncFolder', path);
      await files.syncFolder(path, point);
    },
  };
}

function pointed(file: OpenFile, path: string, before: BeforeChange): OpenFile {
  return {
    ...file,
    write: async (source, position) => {
      await before('write', path);
      const half = Math.floor(source.length / 2);
      await file.write(source.subarray(0, half), position);
      await before('half a write', path);
      await file.write(source.subarray(half), position + half);
    },
    truncate: async (octets) => {
      await before('truncate', path);
      await file.truncate(octets);
    },
    sync: async (point) => {
      await before('sync', path);
      await file.sync(point);
    },
    dataSync: async (point) => {
      await before('dataSync', path);
      await file.dataSync(point);
    },
  };
}
