import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Two ends of a unix stream, both of this process. Node has no socketpair(2), so it connects to itself, in a folder (0700) that
 * is gone at once. Throws a system error where no folder can be made for temporary files.
 */
export async function socketPair(): Promise<readonly [Socket, Socket]> {
  const folder = await mkdtemp(join(tmpdir(), 'popper-'));
  const server = createServer({ allowHalfOpen: true });
  try {
    const path = join(folder, 's');
    await once(server.listen(path), 'listening');
    const near = connect({ path, allowHalfOpen: true });
    const [[far]] = await Promise.all([once(server, 'connection'), once(near, 'connect')]);
    if (!(far instanceof Socket)) throw new TypeError('a server accepts sockets');
    return [near, far];
  } finally {
    server.close();
    await rm(folder, { recursive: true });
  }
}
