import { readFile } from 'node:fs/promises';

import type { Secret } from 'popperd';

/** What the operator gave, or the first line of the file that he named. */
export async function secretText(given: Secret | undefined, file: string | undefined): Promise<string> {
  if (given !== undefined) return Buffer.from(given.reveal()).toString();
  if (file === undefined) throw new Error('neither a secret nor a file that holds it was given');
  const [line = ''] = (await readFile(file, 'utf8')).split(/\r?\n/, 1);
  if (line === '') throw new Error(`${file} has no secret on its first line`);
  return line;
}
