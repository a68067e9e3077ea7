import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Contender, Site } from './servers.ts';

const program = join(import.meta.dirname, '../../core/bin/popper.js');

/** popper as built, with its defaults but for the limit on connections of one address: all clients come from here. */
export const popper = (nodeOptions: readonly string[] = []): Contender => ({
  key: 'popper',
  name: 'popper',
  isPeer: false,
  prepare: (site, port) => prepare(site, port, { nodeOptions, more: { fronts: 1 } }),
});

/** A master and two fronts. */
export const popperWithTwoFronts: Contender = {
  key: 'popper-2',
  name: 'popper, 2 fronts',
  isPeer: false,
  skips: ['big', 'huge'],
  prepare: (site, port) => prepare(site, port, { nodeOptions: [], more: { fronts: 2 } }),
};

/** Sessions run in processes with the uid of the mail, of which there are eight: they are kept while other servers have their turn. */
export const popperAsUsers: Contender = {
  key: 'popper-user',
  name: 'popper, isolation user',
  isPeer: false,
  uids: 8,
  skips: ['huge'],
  prepare: (site, port) => prepare(site, port, { nodeOptions: [], more: usersOwnProcesses }),
};

const usersOwnProcesses = { fronts: 1, isolation: 'user', user: 'nobody', workers: { idleMs: 3_600_000 } };

interface Setup {
  readonly nodeOptions: readonly string[];
  readonly more: Record<string, unknown>;
}

function prepare({ folder, spool, passwdFile }: Site, port: number, { nodeOptions, more }: Setup): string[] {
  const file = join(folder, 'popper.config.json');
  const config = {
    listen: [{ host: '127.0.0.1', port }],
    stateDir: join(folder, 'state'),
    limits: { connections: 10_000, connectionsPerAddress: 10_000 },
    ...more,
    plugins: [
      ['auth-passwd', { file: passwdFile }],
      ['store-mbox', { spool: join(spool, '{user}') }],
    ],
  };
  writeFileSync(file, JSON.stringify(config, undefined, 2));
  return [process.execPath, ...nodeOptions, program, 'serve', '-c', file];
}
