import { deepStrictEqual as deepEqual, strictEqual as equal, match } from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { loggerTo } from '../../log/logger.ts';
import type { Control } from '../../server/control/commands.ts';
import { ControlSocket } from '../../server/control/control-socket.ts';
import type { Status } from '../../server/control/messages.ts';
import { type Ran, runInMemory } from '../in-memory-io.ts';

let folder = '';
let socket: ControlSocket;

const unasked = (): never => {
  throw new Error('nobody asked for that');
};
const nothing: Status = {
  version: '1.2.3',
  pid: 77,
  startedAt: '2026-01-01T00:00:00.000Z',
  configFile: '/etc/popper/popper.config.ts',
  listening: [],
  draining: false,
  sessions: { authorization: 0, transaction: 0 },
  logins: { accepted: 0, refused: 0 },
  retrieved: { messages: 0, octets: 0 },
  deleted: { messages: 0, octets: 0 },
  eventLoopDelayP99Ms: 1,
  memory: { residentOctets: 100, heapOctets: 50 },
};
const control: Control = {
  status: async () => nothing,
  who: unasked,
  kick: unasked,
  unlock: unasked,
  reload: unasked,
  drain: unasked,
};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-control-flags-'));
  await writeFile(
    join(folder, 'flags.config.mjs'),
    `export default ({ flags }) => ({
      listen: [{ port: 0 }],
      stateDir: flags.statistics && flags.bulletins === 'news' && flags.timeoutSeconds === 30 ? 'state' : 'elsewhere',
      plugins: [],
    });`,
  );
  await writeFile(
    join(folder, 'popper.config.yaml'),
    'listen: [{ port: 0 }]\nstateDir: state\nplugins: []\n',
  );
  const path = join(folder, 'state', 'control.sock');
  socket = await ControlSocket.open(
    { path },
    loggerTo(() => {}),
  );
  socket.serve(control);
});
after(async () => {
  await socket.close();
  await rm(folder, { recursive: true });
});

const popper = (...args: readonly string[]): Promise<Ran> => runInMemory(args, folder);

describe('an operator of a daemon that was started with options which its config reads', () => {
  for (const line of [
    '-c flags.config.mjs -s -b news -T 30 status',
    'status -c flags.config.mjs -sb news -T30',
    '-s status --json -b news -c flags.config.mjs -T 30',
    '-T 60 status -T 30 -b news --json -s --config=flags.config.mjs',
  ]) {
    it(`finds it by the same: popper ${line}`, async () => {
      const { code, stdout, stderr } = await popper(...line.split(' '));
      deepEqual([code, stderr], [0, '']);
      match(stdout, /\b1\.2\.3\b/);
    });
  }

  it('hears that they may be what is missing', async () => {
    const { code, stderr } = await popper('-c', 'flags.config.mjs', 'status');
    match(
      stderr,
      /no popper answers on .*elsewhere.*\(-c FILE, with the options that it was started with, or --socket/,
    );
    equal(code, 2);
  });

  it('hears of one that is wrong, or that the config does not read', async () => {
    const wrong = await popper('status', '--json', '-T', 'soon');
    match(wrong.stderr, /^Usage: popper .*\npopper: -T wants seconds/);
    equal(wrong.code, 1);
    const unread = await popper('status', '-s');
    match(unread.stderr, /it is no function of the command line, so -s would change nothing/);
    equal(unread.code, 1);
  });

  it('needs none of them where he names the socket', async () => {
    const { code } = await popper('status', '-s', '--socket', join('state', 'control.sock'));
    equal(code, 0);
  });
});
