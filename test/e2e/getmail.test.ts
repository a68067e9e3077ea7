import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { testFetchingClient } from './support/fetching-client.ts';
import { run } from './support/program.ts';
import { password } from './support/site.ts';

testFetchingClient({
  name: 'getmail',
  packageName: 'getmail6',
  async fetch({ home, where, inbox, keep }) {
    const folder = join(home, 'getmail');
    await mkdir(folder, { recursive: true });
    const lines = [
      '[retriever]',
      'type = SimplePOP3Retriever',
      `server = ${where.host}`,
      `port = ${where.port}`,
      'username = alice',
      `password = ${password}`,
      '[destination]',
      'type = MDA_external',
      'path = /bin/sh',
      `arguments = ("-c", "${inbox.command}")`,
      // Tests may run as root, and then there is nobody else to run it as.
      'allow_root_commands = true',
      '[options]',
      'read_all = false',
      `delete = ${keep ? 'false' : 'true'}`,
      'delivered_to = false',
      'received = false',
      '',
    ];
    await writeFile(join(folder, 'getmailrc'), lines.join('\n'), { mode: 0o600 });
    await run('getmail', ['--getmaildir', folder, '--quiet'], { home });
  },
  delivers: (octets) => Buffer.concat([Buffer.from('Return-Path: <unknown>\n'), octets]),
});
