import { extname, join } from 'node:path';
import { parseArgs } from 'node:util';

import type { Flags } from '../config/flags.ts';
import { type GivenSocket, givenSockets, namesOf } from '../server/activation/variables.ts';
import type { SoleClient } from '../server/inetd/sole-client.ts';
import { type ChildRole, childRoles, type Program } from '../server/master/start-process.ts';
import { readCommandLine, wordsOf } from './command-line.ts';

/** What a child process is told by its command line, besides its role. */
export interface ChildArguments {
  readonly file: string | undefined;
  /** Whether it tells whoever started the master what is wrong with the config. */
  readonly explains?: boolean;
  /** What the config is told. */
  readonly flags: Flags;
  /** What the master was started with. */
  readonly given?: readonly GivenSocket[];
  /** The one that a front serves in the place of ports. */
  readonly client?: SoleClient;
}

/** The program of processes that a master starts. In source and built, it lies beside this file and ends as this one does. */
export const childProgram = (told: ChildArguments & { readonly file: string }): Program => ({
  entry: join(import.meta.dirname, `child${extname(import.meta.filename)}`),
  args: [...optionsOf(told), told.file, '--', ...wordsOf(told.flags)],
});

function optionsOf({ explains = false, given = [], client }: ChildArguments): readonly string[] {
  return [
    ...(explains ? ['--explains'] : []),
    ...namesOf(given).map((name) => `--given=${name}`),
    ...(client ? [`--client=${client.kind}`] : []),
    ...(client?.beginsWithTls === true ? ['--tls'] : []),
  ];
}

/** The other way round, in the child. Throws where it is started otherwise than by `childProgram`. */
export function readChildArguments(args: readonly string[]): ChildArguments & { readonly role: ChildRole } {
  const options = {
    explains: { type: 'boolean' },
    given: { type: 'string', multiple: true },
    client: { type: 'string' },
    tls: { type: 'boolean' },
  } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [name, file, ...words] = positionals;
  const role = childRoles.find((one) => one === name);
  if (role === undefined) throw new TypeError(`no process is there for ${name}`);
  const { explains = false, given = [], client: kind, tls: beginsWithTls = false } = values;
  const isClient = kind === 'socket' || kind === 'pipe';
  const { flags } = readCommandLine(words);
  return {
    role,
    file,
    flags,
    ...(explains && { explains }),
    given: givenSockets(given),
    ...(isClient && { client: { kind, beginsWithTls } }),
  };
}
