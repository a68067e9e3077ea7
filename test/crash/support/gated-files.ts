import type { Files, OpenFile } from '../../../plugins/store-mbox/commit/files.ts';
import type { FileCall, Place } from './plan.ts';

/** One file-changing call that is about to happen. */
export interface Work<T> extends FileCall {
  whole(): Promise<T>;
  /** A write's beginning; undefined for calls that the kernel does at once or not. */
  readonly torn?: (place: Place) => Promise<void>;
}

/** Every file-changing call comes through here: the gate decides whether, how far and how it happens. */
export interface Gate {
  pass<T>(work: Work<T>): Promise<T>;
}

/** The file layer with a gate in front of whatever changes files. */
export function gatedFiles(files: Files, gate: Gate): Files {
  return {
    ...files,
    async open(path, mode) {
      const whole = () => files.open(path, mode);
      const file = mode === 'create' ? await gate.pass({ call: 'create', path, whole }) : await whole();
      return gatedFile(file, path, gate);
    },
    rename: (from, to) => gate.pass({ call: 'rename', path: from, whole: () => files.rename(from, to) }),
    link: (from, to) => gate.pass({ call: 'link', path: from, whole: () => files.link(from, to) }),
    unlink: (path) => gate.pass({ call: 'unlink', path, whole: () => files.unlink(path) }),
    createFolder: (path) => gate.pass({ call: 'createFolder', path, whole: () => files.createFolder(path) }),
    syncFolder: (path, point) =>
      gate.pass({ call: 'syncFolder', path, whole: () => files.syncFolder(path, point) }),
  };
}

function gatedFile(file: OpenFile, path: string, gate: Gate): OpenFile {
  return {
    ...file,
    write: (source, position) =>
      gate.pass({
        call: 'write',
        path,
        whole: () => file.write(source, position),
        torn: (place) => file.write(source.subarray(0, tornOctets(place, source.length)), position),
      }),
    truncate: (octets) => gate.pass({ call: 'truncate', path, whole: () => file.truncate(octets) }),
    sync: (point) => gate.pass({ call: 'sync', path, whole: () => file.sync(point) }),
    dataSync: (point) => gate.pass({ call: 'dataSync', path, whole: () => file.dataSync(point) }),
  };
}

function tornOctets(place: Place, octets: number): number {
  if (place === 'torn-start') return Math.min(1, octets);
  return place === 'torn-middle' ? octets >> 1 : octets - 1;
}
