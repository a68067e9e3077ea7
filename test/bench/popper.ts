import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Contender } from './servers.ts';

const program = join(import.meta.dirname, '../../core/bin/popper.js');

/** popper as built, with its defaults but for the limit on connections of one address: all clients come from here. */
export function popper(nodeOptions: readonly string[] = []): Contender {
  return {
    name: 'popper',
    prepare({ folder, spool, passwdFile }, port) {
      const file = join(folder, 'popper.config.json');
      const config = {
        listen: [{ host: '127.0.0.1', port }],
        stateDir: join(folder, 'state'),
        fronts: 1,
        limits: { connections: 10_000, connectionsPerAddress: 10_000 },
        plugins: [
          ['auth-passwd', { file: passwdFile }],
          ['store-mbox', { spool: join(spool, '{user}') }],
        ],
      };
      writeFileSync(file, JSON.stringify(config, undefined, 2));
      return [process.execPath, ...nodeOptions, program, 'serve', '-c', file];
    },
  };
}
