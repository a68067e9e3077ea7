import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { testFetchingClient } from './support/fetching-client.ts';
import { run } from './support/program.ts';
import { password } from './support/site.ts';

testFetchingClient({
  name: 'mpop',
  packageName: 'mpop',
  async fetch({ home, where, inbox, keep }) {
    const file = join(home, 'mpoprc');
    const lines = [
      'account default',
      `host ${where.host}`,
      `port ${where.port}`,
      'tls off',
      'auth user',
      'user alice',
      `password ${password}`,
      `delivery mda ${inbox.command}`,
      'received_header off',
      `keep ${keep ? 'on' : 'off'}`,
      `uidls_file ${join(home, 'uidls')}`,
    ];
    await writeFile(file, lines.join('\n'), { mode: 0o600 });
    await run('mpop', ['-C', file, '--quiet'], { home });
  },
  delivers: (octets) => octets,
});
