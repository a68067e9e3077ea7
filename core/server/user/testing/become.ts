// Becomes a user and says what is left of root then: `node become.ts UID GID`, each action on a line of its own.
import { pbkdf2 } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import { becomeUser } from '../privileges.ts';

const [uid = '', gid = '', secretFile = '', mailGroup = ''] = process.argv.slice(2);

// Threads that were root's and have worked for it.
await Promise.all(
  Array.from({ length: 8 }, async () =>
    promisify(pbkdf2)('x', 'y', 1000, 32, 'sha256').then(() => readFile(secretFile)),
  ),
);
try {
  becomeUser({ uid: Number(uid), gid: Number(gid) }, { minUid: 11, mailGroup: mailGroup === 'mail' });
  const reads = await Promise.allSettled(Array.from({ length: 16 }, () => readFile(secretFile)));
  const statuses = readdirSync('/proc/self/task').map((thread) =>
    readFileSync(`/proc/self/task/${thread}/status`, 'latin1'),
  );
  const found = {
    threads: statuses.length,
    ids: [
      ...new Set(
        statuses.map((status) => /Uid:.*\nGid:.*\n/.exec(status)?.[0].replaceAll(/\s+/g, ' ').trim()),
      ),
    ],
    groups: process.getgroups?.(),
    secretsRead: reads.filter(({ status }) => status === 'fulfilled').length,
    environment: Object.keys(process.env).toSorted(),
    umask: process.umask(),
    folder: process.cwd(),
  };
  console.log(JSON.stringify(found));
} catch (error) {
  console.log(JSON.stringify({ uid: process.geteuid?.(), gid: process.getegid?.(), refused: String(error) }));
}
