import { readFile, stat } from 'node:fs/promises';

import type { LmtpOptions, SmtpOptions } from '../options.ts';
import { secretFilesOf } from './login.ts';
import { type Fault, isOpenToAll, type Isolation } from './transport.ts';

/** What `popper check` finds of the files that sending takes: the first thing that is wrong with them. */
export async function faultOfServer(
  options: SmtpOptions | LmtpOptions,
  isolation: Isolation,
): Promise<Fault | undefined> {
  if (options.kind === 'lmtp')
    return options.path === undefined ? undefined : faultOfSocket(options.path, isolation);
  const { ca, auth } = options;
  const faultOfAuthority = ca === undefined ? undefined : await faultOfCertificate(ca, isolation);
  if (faultOfAuthority !== undefined) return faultOfAuthority;
  for (const file of auth === undefined ? [] : secretFilesOf(auth)) {
    const fault = (await unreadable(file)) ?? (await faultOfSecret(file, isolation));
    if (fault !== undefined) return fault;
  }
  return undefined;
}

async function faultOfSocket(path: string, isolation: Isolation): Promise<Fault | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isSocket() !== true)
    return {
      kind: 'problem',
      what: `${path} is no socket: no message can be sent`,
      fix: 'start the server that listens there, or mend transport.path',
    };
  if (isolation === 'none' || (await isOpenToAll(path, 0o002))) return undefined;
  return {
    kind: 'problem',
    what: `users send as themselves, and not every user can connect to ${path}`,
    fix: 'let its server open it to all (mode 666), or give host and port of a server on this machine',
  };
}

async function faultOfCertificate(file: string, isolation: Isolation): Promise<Fault | undefined> {
  const fault = await unreadable(file);
  if (fault !== undefined || isolation === 'none' || (await isOpenToAll(file, 0o004))) return fault;
  return {
    kind: 'problem',
    what: `users send as themselves, and not every user can read ${file}`,
    fix: `chmod o+r ${file}`,
  };
}

/** Root can read what users cannot; that they can, too, is no better. */
async function faultOfSecret(file: string, isolation: Isolation): Promise<Fault | undefined> {
  const isOpen = await isOpenToAll(file, 0o004);
  if (isolation === 'user')
    return {
      kind: isOpen ? 'warning' : 'problem',
      what: isOpen
        ? `users send as themselves with isolation: 'user', so everybody has to be able to read ${file}, and what it holds is no secret`
        : `users send as themselves with isolation: 'user', and not every one can read ${file}, without which nothing is sent`,
      fix: 'write the secret into the configuration in place of its file, which root reads for all; or send by sendmail, or smtp to a server on this machine that asks for no password',
    };
  const { mode } = await stat(file);
  if ((mode & 0o007) === 0) return undefined;
  return {
    kind: 'problem',
    what: `everybody may read ${file}, which holds a secret`,
    fix: `chmod o= ${file}`,
  };
}

async function unreadable(file: string): Promise<Fault | undefined> {
  try {
    await readFile(file);
    return undefined;
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return {
      kind: 'problem',
      what: `${file} cannot be read: ${what}`,
      fix: 'let the user that serves sessions read it, or mend the path',
    };
  }
}
