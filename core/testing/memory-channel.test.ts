import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import type { Maildrop, Plugin } from 'popperd';
import { latin1, memoryHost, memoryMaildrop, pipelined, TestServer } from 'popperd/testing';

import { createCore } from '../core.ts';
import { loggerTo } from '../log/logger.ts';
import { startDaemon } from '../server/daemon.ts';
import { State } from '../server/state.ts';
import { defaultSettings } from '../settings.ts';

const login = ['USER mrose', 'PASS secret'];
const everyOctet = latin1(Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join(''));
const texts = [
  'Subject: a\n\n.\n..b\nc',
  '',
  everyOctet,
  Buffer.alloc(300_000, '.\n'),
  Buffer.alloc(200_000, 'x'),
];

const clients: readonly (readonly [what: string, octets: Uint8Array])[] = [
  [
    'a whole session',
    pipelined(...login, 'STAT', 'LIST', 'UIDL', 'RETR 1', 'RETR 3', 'TOP 1 1', 'DELE 2', 'RSET', 'QUIT'),
  ],
  [
    'messages larger than any buffer',
    pipelined(...login, 'RETR 4', 'RETR 5', 'RETR 4', 'TOP 4 1000', 'QUIT'),
  ],
  ['a client that leaves in the middle of a line', latin1('USER mrose\r\nPASS secret\r\nDELE 1\r\nQUI')],
  [
    'lines that are no commands',
    Buffer.concat([latin1('\0\r\n\r\nUSER \xff\n'), Buffer.alloc(5000, 'x'), pipelined('', 'NOOP', 'QUIT')]),
  ],
  ['wrong passwords', pipelined('USER a', 'PASS b', 'USER a', 'PASS b', 'USER a', 'PASS b', 'QUIT')],
  ['a maildrop that nobody has', pipelined('USER other', 'PASS secret', 'STAT')],
];

for (const [what, octets] of clients) {
  test(`the test kit says what the daemon says over a socket: ${what}`, async () => {
    const inMemory = await new TestServer([host()]).record([octets]);
    const overSocket = await overASocket(host(), octets);
    assert.ok(overSocket.equals(inMemory.octets));
    assert.ok(overSocket.length > 50);
  });
}

const host = (): Plugin =>
  memoryHost(({ user }): Maildrop | undefined => (user === 'mrose' ? memoryMaildrop(texts) : undefined), {
    mrose: 'secret',
    other: 'secret',
  });

/** What a daemon on a unix socket answers to these octets, after which the client ends its side. */
async function overASocket(plugin: Plugin, octets: Uint8Array): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'popper-kit-'));
  const path = join(folder, 'socket');
  const state = new State(join(folder, 'state'));
  const core = createCore([plugin], {
    settings: { ...defaultSettings, listen: [{ path }], stateDir: join(folder, 'state') },
    log: loggerTo(() => {}),
    state,
    baseFolder: folder,
  });
  const daemon = await startDaemon(core, state);
  try {
    const socket = connect({ path, allowHalfOpen: true });
    socket.end(octets);
    return Buffer.concat(await socket.toArray());
  } finally {
    await daemon.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
