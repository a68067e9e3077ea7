import { readFile, stat } from 'node:fs/promises';

import type { TlsSettings } from '../../settings.ts';
import type { Pem } from './certificate.ts';
import { TlsFault } from './tls-fault.ts';

type File = 'certificate' | 'key';

/** Where they lie. */
export type PemFiles = Pick<TlsSettings, File>;

/** Reads both files. Throws a TlsFault where one of them cannot be read. */
export async function readPem(settings: PemFiles): Promise<Pem> {
  return { certificate: await read('certificate', settings), key: await read('key', settings) };
}

/** Both files' names in the file system, sizes and times: another text where one of them has changed, or is gone. */
export async function versionOf(settings: PemFiles): Promise<string> {
  const both = await Promise.all([settings.certificate, settings.key].map(versionOfFile));
  return both.join(' ');
}

/** Why the key is no secret; undefined where only its owner and its group can read it. */
export async function exposed({ key }: PemFiles): Promise<TlsFault | undefined> {
  const { mode } = await stat(key);
  if ((mode & 0o004) === 0) return undefined;
  return new TlsFault(
    `tls.key: everybody on this machine can read ${key}`,
    `chmod o-rwx ${key}; get another certificate if somebody may have read it`,
  );
}

async function read(what: File, settings: PemFiles): Promise<Uint8Array> {
  const file = settings[what];
  try {
    return await readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const [why, fix] = reasons.get(code) ?? [`cannot be read: ${code || String(error)}`, 'see to the file'];
    throw new TlsFault(`tls.${what}: ${file} ${why}`, fix, error);
  }
}

const reasons: ReadonlyMap<string, readonly [why: string, fix: string]> = new Map([
  ['ENOENT', ['is not there', 'put the file there, or name another']],
  ['ENOTDIR', ['is not there', 'put the file there, or name another']],
  ['EISDIR', ['is a folder', 'name the file in it']],
  ['EACCES', ['may not be read by this user', 'let the group of this user read it, and its folders']],
]);

async function versionOfFile(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join('-');
  } catch {
    return 'none';
  }
}
