import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { createCore } from '../core.ts';
import { loggerTo } from '../log/logger.ts';
import type { Maildrop } from '../maildrop/maildrop.ts';
import { defaultSettings } from '../settings.ts';
import { memoryHost, MemoryMaildrop } from '../testing.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import { State } from './state.ts';

/** A maildrop whose commit waits to be told. */
class Slow extends MemoryMaildrop {
  readonly entered = Promise.withResolvers<undefined>();
  readonly go = Promise.withResolvers<undefined>();

  override async commit(deleted: ReadonlySet<number>): Promise<void> {
    this.entered.resolve(undefined);
    await this.go.promise;
    await super.commit(deleted);
  }
}

test('U8: a stop in the middle of QUIT lets it end, and the client hears +OK and nothing after it', async () => {
  const maildrop = new Slow(['a\r\n', 'b\r\n']);
  await withDaemon(maildrop, async (daemon, path) => {
    const socket = connect(path);
    socket.write('USER mrose\r\nPASS secret\r\nDELE 1\r\nQUIT\r\n');
    const heard = socket.toArray();
    await maildrop.entered.promise;
    const stopped = daemon.stop();
    maildrop.go.resolve(undefined);
    assert.match(Buffer.concat(await heard).toString(), /\r\n\+OK message 1 deleted\r\n\+OK bye\r\n$/);
    await stopped;
    assert.deepEqual(maildrop.kept(), ['b\r\n']);
  });
});

test('U8: a stop while a client says nothing ends its session with a word, and its marks are forgotten', async () => {
  const maildrop = new Slow(['a\r\n']);
  await withDaemon(maildrop, async (daemon, path) => {
    const socket = connect(path);
    socket.write('USER mrose\r\nPASS secret\r\nDELE 1\r\n');
    let heard = '';
    for await (const octets of socket) {
      heard += String(octets);
      if (heard.endsWith('deleted\r\n')) void daemon.stop();
    }
    assert.match(
      heard,
      /\r\n\+OK message 1 deleted\r\n-ERR \[SYS\/TEMP\] the server is being stopped[^\r\n]*\r\n$/,
    );
    assert.equal(maildrop.kept().length, 1);
    assert.equal(maildrop.closings, 1);
  });
});

async function withDaemon(
  maildrop: Maildrop,
  use: (daemon: Daemon, path: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'popper-last-words-'));
  const path = join(folder, 'socket');
  const stateDir = join(folder, 'state');
  const state = new State(stateDir);
  const core = createCore([memoryHost(maildrop)], {
    settings: { ...defaultSettings, listen: [{ path }], stateDir },
    log: loggerTo(() => {}),
    state,
    baseFolder: folder,
  });
  const daemon = await startDaemon(core, state);
  try {
    await use(daemon, path);
  } finally {
    await daemon.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
