import { resolve } from 'node:path';

import type { Options, SmtpOptions } from '../options.ts';
import { Directory } from './directory.ts';
import { Sendmail } from './sendmail.ts';
import { Smtp } from './smtp.ts';
import type { Transport } from './transport.ts';

/** The way that the operator has chosen; relative paths are taken from the folder. */
export function makeTransport(
  { transport, timeoutMs }: Pick<Options, 'transport' | 'timeoutMs'>,
  baseFolder: string,
): Transport {
  const absolute = (path: string): string => resolve(baseFolder, path);
  if (transport.kind === 'sendmail')
    return new Sendmail({ ...transport, command: absolute(transport.command) });
  if (transport.kind === 'directory') return new Directory(absolute(transport.folder));
  if (transport.kind === 'smtp') return new Smtp(withPaths(transport, absolute), timeoutMs);
  return new Smtp({ ...transport, path: transport.path && absolute(transport.path) }, timeoutMs);
}

type Absolute = (path: string) => string;

function withPaths(smtp: SmtpOptions, absolute: Absolute): SmtpOptions {
  const { ca, auth } = smtp;
  const oauth2 = auth?.oauth2;
  return {
    ...smtp,
    ca: ca && absolute(ca),
    auth: auth && {
      ...auth,
      passwordFile: auth.passwordFile && absolute(auth.passwordFile),
      oauth2: oauth2 && {
        ...oauth2,
        clientSecretFile: oauth2.clientSecretFile && absolute(oauth2.clientSecretFile),
        refreshTokenFile: oauth2.refreshTokenFile && absolute(oauth2.refreshTokenFile),
      },
    },
  };
}
