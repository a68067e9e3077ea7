import { deepStrictEqual as deepEqual, strictEqual as equal, match, ok } from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { loggerTo } from '../../log/logger.ts';
import { type Control, ControlRefusal } from '../../server/control/commands.ts';
import { ControlSocket } from '../../server/control/control-socket.ts';
import type { SessionEntry, Status } from '../../server/control/messages.ts';
import { type Ran, runInMemory } from '../in-memory-io.ts';

let folder = '';
let socket: ControlSocket;
let control: Control;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-control-cli-'));
  await writeFile(
    join(folder, 'popper.config.yaml'),
    'listen: [{ port: 0 }]\nstateDir: state\nplugins: []\n',
  );
  await writeFile(
    join(folder, 'none.yaml'),
    'listen: [{ port: 0 }]\nstateDir: state\ncontrol: false\nplugins: []\n',
  );
  control = {
    status: async () => status,
    async *who() {
      yield alice;
      yield stranger;
    },
    kick: async () => ({ ended: ['7-1'], late: [] }),
    unlock: async () => ({ ended: [], late: [], lock: 'free', holders: [] }),
    reload: async () => ({ generation: 2 }),
    drain: async () => ({ sessions: 2 }),
  };
  socket = await ControlSocket.open(
    { path: join(folder, 'state', 'control.sock') },
    loggerTo(() => {}),
  );
  socket.serve({
    status: () => control.status(),
    who: () => control.who(),
    kick: (target) => control.kick(target),
    unlock: (user) => control.unlock(user),
    reload: () => control.reload(),
    drain: () => control.drain(),
  });
});
after(async () => {
  await socket.close();
  await rm(folder, { recursive: true });
});

const popper = (...args: readonly string[]): Promise<Ran> => runInMemory(args, folder);

describe('an operator who asks a daemon that runs', () => {
  it('sees its sessions, each on a line, with what is not known as a dash', async () => {
    const { code, stdout } = await popper('who');
    const [head, first, second] = stdout.split('\n');
    match(head ?? '', /^SESSION +USER +ADDRESS +TLS +STATE +COMMAND +AGE +IDLE +RETR +DELE +SENT$/);
    match(
      first ?? '',
      /^7-1 +alice +192\.0\.2\.1 +yes +TRANSACTION +RETR +\d+d\d\dh +\d+d\d\dh +3 +1 +4000$/,
    );
    match(second ?? '', /^7-2 +- +192\.0\.2\.9 +no +AUTHORIZATION +- /);
    equal(code, 0);
  });

  it('gets the same as JSON, an object a line, for a program', async () => {
    const { stdout } = await popper('who', '--json');
    deepEqual(
      stdout
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
      [alice, stranger],
    );
  });

  it('sees how it is', async () => {
    const { code, stdout } = await popper('status');
    match(stdout, /^popper 1\.2\.3, pid 77, up \d+d\d\dh\n/);
    match(stdout, /^listening +127\.0\.0\.1:110, \[::1\]:995$/m);
    match(stdout, /^logins +12 accepted, 1 refused$/m);
    match(stdout, /^retrieved +5 messages, 1 octet$/m);
    equal(code, 0);
    deepEqual(JSON.parse((await popper('status', '--json')).stdout), status);
  });

  it('is told what became of those that were to go, and gets a 1 where one is still there', async () => {
    deepEqual(await popper('kick', 'alice'), { code: 0, stdout: '7-1 has ended\n', stderr: '' });
    control.kick = async () => ({ ended: [], late: ['7-1'] });
    const { code, stdout } = await popper('kick', 'alice');
    match(stdout, /^7-1 is cut off, and ends when/);
    equal(code, 1);
  });

  it('is told who holds a maildrop, and gets a 1 where it is not free', async () => {
    match((await popper('unlock', 'alice')).stdout, /^the maildrop of alice is free: /m);
    const holders = [{ pid: 4, title: 'node \u001b]0;evil' }];
    control.unlock = async () => ({ ended: [], late: [], lock: 'held', holders });
    const { code, stdout } = await popper('unlock', 'alice');
    equal(stdout, 'the maildrop of alice is held by process 4 (node \\u{1b}]0;evil)\n');
    equal(code, 1);
  });

  it('hears what reload and drain have begun', async () => {
    match((await popper('reload')).stdout, /generation 2/);
    match((await popper('drain')).stdout, /ends with the last session \(2 sessions now\)/);
  });

  it('gets a 1 and the reason where the daemon will not', async () => {
    control.reload = () => Promise.reject(new ControlRefusal('not today'));
    deepEqual(await popper('reload'), { code: 1, stdout: '', stderr: 'popper: not today\n' });
  });

  it('is not fooled by names with control characters, as text or as JSON', async () => {
    const user = 'eve\u001b[2J\u009b1m\nroot';
    control.who = async function* who() {
      yield { ...alice, user };
    };
    for (const args of [['who'], ['who', '--json']]) {
      const { stdout } = await popper(...args);
      ok(/^[ -~\n]*$/.test(stdout), JSON.stringify(stdout));
    }
    const [session] = (await popper('who', '--json')).stdout.split('\n');
    const parsed: unknown = JSON.parse(session ?? '');
    ok(typeof parsed === 'object' && parsed !== null && 'user' in parsed);
    equal(parsed.user, user);
  });

  it('sees that there is nobody', async () => {
    control.who = nobody;
    equal((await popper('who')).stdout, 'no session is open\n');
    equal((await popper('who', '--json')).stdout, '');
  });
});

describe('an operator who cannot be answered', () => {
  it('hears where no daemon answers, and gets a 2', async () => {
    const { code, stderr } = await popper('status', '--socket', 'nowhere.sock');
    match(stderr, /^popper: no popper answers on .*nowhere\.sock: is it running, and with this config\?/);
    equal(code, 2);
  });

  it('hears that the config has no socket', async () => {
    const { code, stderr } = await popper('-c', 'none.yaml', 'who');
    match(stderr, /^popper: none\.yaml says control: false/);
    equal(code, 2);
  });

  it('is reminded of --socket where the config cannot be used', async () => {
    const { code, stderr } = await popper('-c', 'gone.yaml', 'who');
    match(stderr, /there is no such file\n.*--socket PATH/);
    equal(code, 2);
  });

  it('hears that what answers is something else', async () => {
    const path = join(folder, 'other.sock');
    for (const said of [
      '220 mail.example ESMTP\r\n',
      '{"done":7}\n',
      '\xff\n',
      '{"session":{}}\n',
      'x'.repeat(70_000),
    ]) {
      const server = createServer(
        (client) =>
          void client
            .on('error', () => {})
            .resume()
            .end(said, 'latin1'),
      ).listen(path);
      const { code, stderr } = await popper('status', '--socket', path);
      match(
        stderr,
        /^popper: what answers on .*other\.sock is no popper of this version$/m,
        said.slice(0, 20),
      );
      equal(code, 2);
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('hears that the daemon hung up', async () => {
    const path = join(folder, 'mute.sock');
    const server = createServer(
      (client) =>
        void client
          .on('error', () => {})
          .resume()
          .end(),
    ).listen(path);
    const { code, stderr } = await popper('who', '--socket', path);
    match(stderr, /hung up before its answer was whole/);
    equal(code, 2);
    server.close();
  });

  it('is told what a word needs', async () => {
    const { code, stderr } = await popper('kick');
    match(stderr, /missing required argument 'target'/);
    equal(code, 2);
  });
});

async function* nobody(): AsyncGenerator<SessionEntry> {}

const status: Status = {
  version: '1.2.3',
  pid: 77,
  startedAt: '2026-01-01T00:00:00.000Z',
  configFile: '/etc/popper/popper.config.ts',
  listening: ['127.0.0.1:110', '[::1]:995'],
  draining: false,
  sessions: { authorization: 1, transaction: 1 },
  logins: { accepted: 12, refused: 1 },
  retrieved: { messages: 5, octets: 1 },
  deleted: { messages: 0, octets: 0 },
  eventLoopDelayP99Ms: 1.5,
  memory: { residentOctets: 100, heapOctets: 50 },
};

const alice: SessionEntry = {
  id: '7-1',
  user: 'alice',
  address: '192.0.2.1',
  port: 1024,
  secure: true,
  state: 'TRANSACTION',
  command: 'RETR',
  startedAt: '2026-01-01T00:00:00.000Z',
  activeAt: '2026-01-01T00:00:00.000Z',
  retrieved: { messages: 3, octets: 300 },
  marked: { messages: 1, octets: 10 },
  received: 100,
  sent: 4000,
};

const stranger: SessionEntry = {
  id: '7-2',
  address: '192.0.2.9',
  port: 1025,
  secure: false,
  state: 'AUTHORIZATION',
  startedAt: '2026-01-01T00:00:00.000Z',
  activeAt: '2026-01-01T00:00:00.000Z',
  retrieved: { messages: 0, octets: 0 },
  marked: { messages: 0, octets: 0 },
  received: 0,
  sent: 20,
};
