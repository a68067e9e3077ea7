import { execFile } from 'node:child_process';
import { chmod, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Two PEM files, as a configuration names them. */
export interface PemFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateWishes {
  /** Of the files in the folder. Another certificate of the same name takes the place of the first. */
  readonly name?: string;
  readonly host?: string;
  /** It was valid until yesterday. */
  readonly isExpired?: boolean;
}

/** Makes a key and a certificate that nobody but itself vouches for, for `localhost` and 127.0.0.1. */
export async function makeCertificate(folder: string, wishes: CertificateWishes = {}): Promise<PemFiles> {
  const { name = 'server', host = 'localhost', isExpired = false } = wishes;
  const files = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const made = { certificate: `${files.certificate}.new`, key: `${files.key}.new` };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host},IP:127.0.0.1`];
  const out = ['-keyout', made.key, '-out', made.certificate, '-days', '30'];
  await run('openssl', ['req', '-x509', ...curve, ...subject, ...out]);
  await chmod(made.key, 0o600);
  if (isExpired) await expire(made);
  await rename(made.key, files.key);
  await rename(made.certificate, files.certificate);
  return files;
}

async function expire({ certificate, key }: PemFiles): Promise<void> {
  await run('openssl', ['x509', '-in', certificate, '-signkey', key, '-days', '-1', '-out', certificate]);
}
