import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Sockets } from './sockets.ts';

const anyPort = { host: '127.0.0.1', port: 0 };

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-sockets-'));
});
after(() => rm(folder, { recursive: true }));

describe('the sockets of a master', () => {
  it('stay the same from one configuration to the next, port 0 too', async () => {
    const sockets = new Sockets();
    const old = await sockets.open([anyPort, anyPort]);
    const renewed = await sockets.open([anyPort, anyPort, { ...anyPort, host: '127.0.0.2' }]);
    assert.deepEqual(renewed.slice(0, 2), old);
    assert.equal(new Set(renewed.map(({ address }) => address)).size, 3);
    sockets.close();
  });

  it('are closed where no configuration names them any more, and their ports are free', async () => {
    const sockets = new Sockets();
    const [, gone] = await sockets.open([anyPort, { ...anyPort, host: '127.0.0.2' }]);
    sockets.keepOnly([anyPort]);
    const other = await listening({ host: '127.0.0.2', port: portIn(gone?.address) });
    other.close();
    sockets.close();
  });

  it('leave nothing open where one of them cannot be had', async () => {
    const squatter = await listening({ host: '127.0.0.1', port: 0 });
    const address = squatter.address();
    assert.ok(typeof address === 'object' && address !== null);
    const { port } = address;
    const sockets = new Sockets();
    const path = join(folder, 'never.sock');
    const problem = new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}: another program has it`);
    await assert.rejects(sockets.open([{ path }, { host: '127.0.0.1', port }]), problem);
    await assert.rejects(stat(path));
    squatter.close();
  });

  it('have the mode that was asked for, before anybody listens', async () => {
    const sockets = new Sockets();
    const path = join(folder, 'mode.sock');
    await sockets.open([{ path, mode: 0o600 }]);
    const { mode } = await stat(path);
    assert.equal(mode & 0o777, 0o600);
    sockets.close();
    await assert.rejects(stat(path));
  });

  it('never take the place of a file', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'precious');
    await assert.rejects(new Sockets().open([{ path }]), /a file that is no socket is there/);
  });

  it('are of both families where no host is named, and of the host that is', async () => {
    const sockets = new Sockets();
    const [all, local] = await sockets.open([{ port: 0 }, { host: 'localhost', port: 0 }]);
    assert.match(all?.address ?? '', /^(\[::\]|0\.0\.0\.0):\d+$/);
    assert.match(local?.address ?? '', /^(\[::1\]|127\.0\.0\.1):\d+$/);
    sockets.close();
  });

  it('name a host that cannot be found', async () => {
    await assert.rejects(
      new Sockets().open([{ host: 'nowhere.invalid', port: 0 }]),
      /cannot listen on nowhere\.invalid:0/,
    );
  });
});

const portIn = (address = ''): number => Number(address.split(':').at(-1));

async function listening(where: { host: string; port: number }): Promise<Server> {
  const server = createServer().listen(where);
  await once(server, 'listening');
  return server;
}
