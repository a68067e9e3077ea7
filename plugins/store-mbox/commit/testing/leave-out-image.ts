import { dirname } from 'node:path';

import type { Files, OpenFile } from '../files.ts';
import { decodeHeaderStart, decodeRecord, encodeRecord, type Header } from '../format.ts';
import { journalFolder } from './world.ts';

/**
 * A mistake to be found: records say that their chunk can be done again from its sources, also where the chunk
 * overwrites them.
 */
export function leaveOutImages(files: Files): Files {
  return {
    ...files,
    open: async (path, mode) => {
      const file = await files.open(path, mode);
      return dirname(path) === journalFolder ? withoutImages(file) : file;
    },
  };
}

function withoutImages(file: OpenFile): OpenFile {
  return {
    ...file,
    write: async (source, position) => {
      await file.write(position === 0 ? source : await imageLeftOut(file, source), position);
    },
  };
}

async function imageLeftOut(file: OpenFile, source: Uint8Array): Promise<Uint8Array> {
  const header = await headerOf(file);
  const record = header === undefined ? undefined : decodeRecord(source, header);
  if (header?.kind !== 'deletions' || record === undefined) return source;
  return encodeRecord({ ...record, hasImage: false }, header, new Uint8Array());
}

async function headerOf(file: OpenFile): Promise<Header | undefined> {
  const block = new Uint8Array(256);
  await file.read(block, 0);
  const start = decodeHeaderStart(block);
  // Records look at the block's size and the transaction only.
  return start === undefined ? undefined : { ...start, mailboxPath: '', kept: new Float64Array() };
}
