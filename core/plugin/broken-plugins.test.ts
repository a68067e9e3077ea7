import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';

import { denied, type Plugin } from 'popperd';
import { memoryHost, memoryMaildrop, type MemoryMaildrop, testPlugin, TestServer } from 'popperd/testing';

type Tap = (...args: readonly unknown[]) => unknown;

/** A plugin in plain JavaScript, which no compiler has looked at: one tap on one hook. */
const plain = (hook: string, fn: Tap, method: 'tap' | 'tapPromise' = 'tapPromise'): Plugin =>
  testPlugin('broken', ({ hooks }) => {
    const target = hook === 'command NOOP' ? hooks.command.for('NOOP') : Reflect.get(hooks, hook);
    const tap: unknown = Reflect.get(target, method);
    assert.ok(typeof tap === 'function');
    Reflect.apply(tap, target, ['broken', fn]);
  });

interface Case {
  readonly hook: string;
  /** What the client says to meet the hook. */
  readonly lines: readonly string[];
  /** The last things it hears. */
  readonly heard: readonly string[];
  /** What the hook cannot use for an answer; nothing where it looks at none. */
  readonly nonsense: readonly unknown[];
  /** Sync hooks have no deadline and are tapped by `tap`. */
  readonly sync?: true;
  /** Its deadline in milliseconds, if it is not the ordinary one. */
  readonly deadlineMs?: number;
}

const internal = '-ERR [SYS/TEMP] internal error, try again later';
const login = ['USER mrose', 'PASS secret'];
const notMaildrops = [null, 0, 'maildrop', {}, { count: 1, totalOctets: 3 }, { count: -1, totalOctets: 0 }];
const notReplies = [
  null,
  0,
  'no',
  {},
  { status: 'OK', text: '' },
  { status: '+OK' },
  { status: '+OK', text: '', lines: 1 },
];

const cases: readonly Case[] = [
  { hook: 'connect', lines: login, heard: [internal], nonsense: [null, true, 'no', { code: 'AUTH' }] },
  {
    hook: 'preface',
    lines: login,
    heard: [internal],
    nonsense: [null, true, { user: 'root' }, { user: 'a', uid: -1, gid: 0, home: '/' }],
  },
  {
    hook: 'greeting',
    lines: login,
    heard: [internal],
    nonsense: [null, 0, ['hello'], Promise.resolve('hello')],
    sync: true,
  },
  {
    hook: 'capabilities',
    lines: ['CAPA', 'QUIT'],
    heard: [internal, '+OK bye'],
    nonsense: [null, 'X-ONE', [1], {}],
    sync: true,
  },
  {
    hook: 'command NOOP',
    lines: [...login, 'NOOP', 'STAT'],
    heard: [internal, '+OK 1 3'],
    nonsense: notReplies,
  },
  {
    hook: 'authenticate',
    lines: [...login, 'QUIT'],
    heard: ['+OK send PASS', '-ERR [SYS/TEMP] the login cannot be checked now, try again later', '+OK bye'],
    nonsense: [
      null,
      true,
      'granted',
      {},
      { kind: 'granted', identity: { user: 'root', uid: 0, gid: 0, home: '/' } },
    ],
  },
  {
    hook: 'refused',
    lines: ['USER mrose', 'PASS wrong', 'QUIT'],
    heard: ['-ERR [AUTH] login refused', '+OK bye'],
    nonsense: [],
  },
  {
    hook: 'openMaildrop',
    lines: [...login, 'STAT'],
    heard: ['+OK send PASS', internal],
    nonsense: notMaildrops,
    deadlineMs: 600_000,
  },
  {
    hook: 'maildrop',
    lines: [...login, 'STAT'],
    heard: ['+OK send PASS', internal],
    nonsense: notMaildrops,
    deadlineMs: 600_000,
  },
  {
    hook: 'commit',
    lines: [...login, 'DELE 1', 'QUIT', 'STAT'],
    heard: ['+OK message 1 deleted', internal],
    nonsense: [],
  },
  { hook: 'sessionEnd', lines: ['QUIT'], heard: ['+OK bye'], nonsense: [] },
  { hook: 'wire', lines: ['QUIT'], heard: ['+OK popper ready', '+OK bye'], nonsense: [], sync: true },
];

for (const broken of cases) {
  const { hook, sync } = broken;
  const method = sync ? 'tap' : 'tapPromise';

  test(`a plugin that throws in ${hook} costs the client one right answer, and is named in the log`, async () => {
    await judge(broken, (host) => [
      plain(
        hook,
        () => {
          throw new Error('oops');
        },
        method,
      ),
      host,
    ]);
  });

  test(`a plugin that throws what is no Error in ${hook} costs no more`, async () => {
    await judge(broken, (host) => [
      plain(
        hook,
        () => {
          // oxlint-disable-next-line no-throw-literal -- what plain JavaScript may do
          throw undefined;
        },
        method,
      ),
      host,
    ]);
  });

  for (const answer of broken.nonsense) {
    test(`a plugin that answers ${hook} with ${JSON.stringify(answer)} costs the client one right answer`, async () => {
      await judge(broken, (host) => [plain(hook, () => answer, method), host]);
    });
  }

  if (sync) {
    test(`an async function that rejects in ${hook}, which awaits nobody, costs no more`, async () => {
      const server = await judge(broken, (host) => [plain(hook, failsLate, 'tap'), host]);
      await setImmediate();
      const faults = faultsOf(server).join('\n');
      for (const what of ['too late', 'answered a promise'])
        assert.match(faults, new RegExp(`plugin broken, hook ${hook}: ${what}`));
    });
    continue;
  }

  test(`a plugin that hangs in ${hook} is given up, and is named in the log`, async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const entered = Promise.withResolvers<undefined>();
      const hang = (): Promise<never> => {
        entered.resolve(undefined);
        return new Promise(() => {});
      };
      const judged = judge(broken, (host) => [plain(hook, hang), host]);
      await entered.promise;
      passes(broken.deadlineMs ?? 30_000);
      await judged;
    } finally {
      mock.timers.reset();
    }
  });

  for (const [what, fn] of [
    ['a plain function where a promise was to be given', () => undefined],
    ['an async function by tap, which does not await elsewhere', async () => undefined],
  ] as const) {
    test(`${hook} takes ${what}`, async () => {
      const passOn = hook === 'maildrop' ? (maildrop: unknown) => maildrop : fn;
      for (const by of ['tap', 'tapPromise'] as const) {
        const server = new TestServer([plain(hook, passOn, by), hostOf(mail())]);
        await server.converse(broken.lines);
        assert.deepEqual(faultsOf(server), []);
      }
    });
  }
}

test('a tap that refuses by tap and late is waited for, and keeps the client out', async () => {
  const said = await new TestServer([plain('authenticate', slowly, 'tap'), hostOf(mail())]).converse(login);
  assert.equal(said.at(-1), '-ERR [AUTH] login refused');
});

for (const hook of ['start', 'stop', 'recover', 'check'] as const) {
  test(`a plugin that throws in ${hook} is named to whoever started it`, async () => {
    const server = new TestServer([
      plain(hook, () => {
        throw new Error('oops');
      }),
    ]);
    const run = {
      start: () => server.start(),
      stop: () => server.stop(),
      recover: () => server.recover(0),
      check: () => server.check(),
    };
    await assert.rejects(run[hook](), /plugin broken, hook (start|stop|recover|check): oops/);
  });
}

test('a store that answers after its deadline has its maildrop closed, so the lock is let go', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const maildrop = mail();
    const entered = Promise.withResolvers<undefined>();
    const opened = Promise.withResolvers<MemoryMaildrop>();
    const slow = plain('openMaildrop', () => {
      entered.resolve(undefined);
      return opened.promise;
    });
    const server = new TestServer([slow, hostOf(maildrop)]);
    const conversation = server.converse(login);
    await entered.promise;
    passes(600_000);
    assert.equal((await conversation).at(-1), internal);
    assert.equal(maildrop.closings, 0);
    opened.resolve(maildrop);
    await opened.promise;
    await Promise.resolve();
    assert.equal(maildrop.closings, 1);
  } finally {
    mock.timers.reset();
  }
});

test('a plugin that breaks while it wraps a maildrop does not keep the lock', async () => {
  const maildrop = mail();
  const wrapper = plain('maildrop', () => {
    throw new Error('oops');
  });
  await new TestServer([wrapper, hostOf(maildrop)]).converse(login);
  assert.equal(maildrop.closings, 1);
});

/** In steps, so that a timer that is set meanwhile counts from when it is set. */
function passes(ms: number): void {
  for (let left = ms; left > 0; left -= 30_000) mock.timers.tick(Math.min(left, 30_000));
}

async function failsLate(): Promise<never> {
  throw new Error('too late');
}

async function slowly(): Promise<unknown> {
  await Promise.resolve();
  return denied('not today');
}

const mail = () => memoryMaildrop(['a\r\n']);
const hostOf = (maildrop: MemoryMaildrop) => memoryHost(maildrop);

async function judge(broken: Case, plugins: (host: Plugin) => readonly Plugin[]): Promise<TestServer> {
  const maildrop = mail();
  const server = new TestServer(plugins(hostOf(maildrop)));
  const { said, reports } = await server.record(broken.lines);
  assert.deepEqual(said.slice(-broken.heard.length), broken.heard);
  assert.ok(reports.length === 1);
  assert.equal(maildrop.kept().length, 1);
  assert.match(
    faultsOf(server)[0] ?? 'nothing was logged',
    new RegExp(`plugin broken, hook ${broken.hook}: `),
  );
  return server;
}

const faultsOf = ({ log }: TestServer): readonly string[] =>
  log.filter(({ level }) => level === 'error').map(({ fields }) => String(fields['error']));
