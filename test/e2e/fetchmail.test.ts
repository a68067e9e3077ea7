import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { testFetchingClient } from './support/fetching-client.ts';
import { run } from './support/program.ts';
import { password } from './support/site.ts';

const nothingNew = 1;

testFetchingClient({
  name: 'fetchmail',
  packageName: 'fetchmail',
  async fetch({ home, where, inbox, keep }) {
    const file = join(home, 'fetchmailrc');
    const lines = [
      'set no bouncemail',
      // Without it fetchmail puts a Received field before the message.
      'set invisible',
      `poll ${where.host} protocol pop3 port ${where.port} uidl no dns`,
      `user "alice" password "${password}" ${keep ? 'keep' : 'nokeep'} norewrite sslproto ''`,
      `mda "/bin/sh -c '${inbox.command}'"`,
      '',
    ];
    await writeFile(file, lines.join('\n'), { mode: 0o600 });
    const files = ['-f', file, '--idfile', join(home, 'fetchids'), '--pidfile', join(home, 'fetchmail.pid')];
    await run('fetchmail', files, { home, env: { FETCHMAILHOME: home }, fine: [0, nothingNew] });
  },
  delivers: (octets) => octets,
});
