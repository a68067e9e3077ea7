import assert from 'node:assert/strict';
import { test } from 'node:test';

import { defineCommand, definePlugin, err, ok, type Plugin, type Popper } from 'popperd';
import { memoryHost, memoryMaildrop, TestServer } from 'popperd/testing';
import { z } from 'zod';

const login = ['USER mrose', 'PASS secret'];
const host = () => memoryHost(memoryMaildrop(['a\r\n']));

const plugin = (name: string, apply: (popper: Popper) => void): Plugin =>
  definePlugin({ name, options: z.strictObject({}), apply })();

const command = (keyword: string, text = 'done') =>
  defineCommand({
    keyword,
    states: ['TRANSACTION'],
    usage: keyword,
    parse: () => undefined,
    run: () => ok(text),
  });

test('a tap that is to come before one which is not there keeps the daemon from starting', () => {
  const early = plugin('early', ({ hooks }) =>
    hooks.connect.tapPromise({ name: 'early', before: 'firewal' }, async () => undefined),
  );
  assert.throws(() => new TestServer([early]), /connect: early is to come before firewal/);
});

test('a tap comes before the one it names, whatever the order of the config', async () => {
  const heard: string[] = [];
  const second = plugin('second', ({ hooks }) =>
    hooks.connect.tapPromise('second', async () => void heard.push('second')),
  );
  const first = plugin('first', ({ hooks }) =>
    hooks.connect.tapPromise({ name: 'first', before: 'second' }, async () => void heard.push('first')),
  );
  await new TestServer([second, first]).converse([]);
  assert.deepEqual(heard, ['first', 'second']);
});

test('a hook on a command that nobody has keeps the daemon from starting', () => {
  const misspelt = plugin('misspelt', ({ hooks }) =>
    hooks.command.for('DELL').tapPromise('misspelt', async () => undefined),
  );
  assert.throws(() => new TestServer([misspelt]), /there is no command DELL/);
});

test('a hook on a command of another plugin is good, in either order', () => {
  const owner = plugin('owner', ({ commands }) => commands.add(command('PING')));
  const watcher = plugin('watcher', ({ hooks }) =>
    hooks.command.for('PING').tapPromise('watcher', async () => undefined),
  );
  for (const plugins of [
    [owner, watcher],
    [watcher, owner],
  ])
    assert.ok(new TestServer(plugins));
});

test('two owners of one command keep the daemon from starting, and both are named', () => {
  const one = plugin('one', ({ commands }) => commands.add(command('PING')));
  const two = plugin('two', ({ commands }) => commands.add(command('PING')));
  assert.throws(() => new TestServer([one, two]), /two: the command PING belongs to one already/);
});

test('no plugin can take a command of the core', () => {
  const thief = plugin('thief', ({ commands }) => commands.add(command('PASS')));
  assert.throws(() => new TestServer([thief]), /thief: the command PASS belongs to popper already/);
});

test('two owners of one subcommand, mechanism or fact keep the daemon from starting', () => {
  const subcommand = { name: 'doctor', summary: '', usage: '', run: async () => 0 };
  const mechanism = { name: 'X-OWN', plaintext: false, exchange: exchangeNothing };
  const adds: readonly (readonly [string, (popper: Popper) => void])[] = [
    ['subcommand doctor', ({ subcommands }) => subcommands.add(subcommand)],
    ['mechanism X-OWN', ({ mechanisms }) => mechanisms.add(mechanism)],
    ['fact utf8', ({ facts }) => void facts.add({ name: 'utf8', schema: z.boolean() })],
  ];
  for (const [what, add] of adds) {
    assert.throws(
      () => new TestServer([plugin('one', add), plugin('two', add)]),
      new RegExp(`two: the ${what} belongs to one`),
    );
  }
});

// oxlint-disable-next-line require-yield -- a mechanism that asks for nothing
async function* exchangeNothing(): AsyncGenerator<Uint8Array, never, Uint8Array> {
  throw new Error('this is not to be called');
}

test('a command cannot be added once the daemon runs', async () => {
  const late = plugin('late', ({ commands, hooks }) =>
    hooks.connect.tapPromise('late', async () => {
      commands.add(command('PING'));
      return undefined;
    }),
  );
  const server = new TestServer([late]);
  assert.deepEqual(await server.converse(['PING']), ['-ERR [SYS/TEMP] internal error, try again later']);
  assert.match(
    String(server.log.find(({ level }) => level === 'error')?.fields['error']),
    /in apply\(\), not later/,
  );
});

for (const keyword of ['ping', '', 'PING ', 'XTND ', 'A B C', 'PI\nNG', 'P.NG']) {
  test(`${JSON.stringify(keyword)} is no keyword for a command`, () => {
    assert.throws(() => command(keyword), /keyword is one or two upper-case words/);
  });
}

for (const name of ['', 'Ldap', 'auth ldap', '9lives', '-x', 'a/b']) {
  test(`${JSON.stringify(name)} is no name for a plugin`, () => {
    assert.throws(() => plugin(name, () => {}), /is no name for a plugin/);
  });
}

test('a command of two words goes before one of the first word, and words match in any case', async () => {
  const two = plugin('two', ({ commands }) => {
    commands.add(command('XTND XLIST', 'two words'));
    commands.add(command('XTND', 'one word'));
  });
  const said = await new TestServer([two, host()]).converse([
    ...login,
    'xtnd XList',
    'XTND',
    'XTND OTHER',
    'XTNDXLIST',
  ]);
  assert.deepEqual(said.slice(3), [
    '+OK two words',
    '+OK one word',
    '-ERR usage: XTND',
    '-ERR unknown command',
  ]);
});

test('a veto before a command is the answer, and the command does not run', async () => {
  const readOnly = plugin('read-only', ({ hooks }) =>
    hooks.command
      .for('DELE')
      .tapPromise('read-only', async () => err('this maildrop is read-only', 'SYS/PERM')),
  );
  const maildrop = memoryMaildrop(['a\r\n']);
  const said = await new TestServer([readOnly, memoryHost(maildrop)]).converse([
    ...login,
    'DELE 1',
    'STAT',
    'QUIT',
  ]);
  assert.deepEqual(said.slice(3), ['-ERR [SYS/PERM] this maildrop is read-only', '+OK 1 3', '+OK bye']);
  assert.equal(maildrop.kept().length, 1);
});

test('a veto is not asked where the command has no place in the state', async () => {
  let asked = 0;
  const curious = plugin('curious', ({ hooks }) =>
    hooks.command.for('DELE').tapPromise('curious', async () => void (asked += 1)),
  );
  await new TestServer([curious, host()]).converse(['DELE 1']);
  assert.equal(asked, 0);
});

test('options that do not fit are kept for popper check, and such a plugin is not applied', () => {
  const factory = definePlugin({
    name: 'picky',
    options: z.strictObject({ users: z.array(z.string()) }),
    apply: () => assert.fail('it is not to be applied'),
  });
  // @ts-expect-error users must be strings
  const picky = factory({ users: [1], colour: 'red' });
  assert.deepEqual(new Set(picky.problems.map(({ path }) => path.join('.'))), new Set(['users.0', '']));
  assert.throws(() => new TestServer([picky]), /picky: its options have problems/);
});

test('a schema that answers by promise is refused, since apply is sync', () => {
  const factory = definePlugin({
    name: 'patient',
    options: z.strictObject({}).refine(async () => true),
    apply: () => {},
  });
  assert.throws(() => factory({}), /patient/);
});

test('what a plugin throws in apply reaches whoever starts the daemon', () => {
  const broken = plugin('broken', () => {
    throw new Error('no such file');
  });
  assert.throws(() => new TestServer([broken]), /no such file/);
});

test('what a plugin logs carries its name', async () => {
  const chatty = plugin('chatty', ({ hooks, log }) =>
    hooks.connect.tapPromise('chatty', async ({ address }) => {
      log.info('hello', { address });
      return undefined;
    }),
  );
  const server = new TestServer([chatty]);
  await server.converse([]);
  assert.deepEqual(server.log[1], {
    level: 'info',
    message: 'hello',
    fields: { plugin: 'chatty', address: '192.0.2.1' },
  });
});

test('a plugin cannot call a hook, and finds none of the core behind what it is given', () => {
  plugin('curious', (popper) => {
    // @ts-expect-error only the core calls a hook
    assert.equal(popper.hooks.commit.promise, undefined);
    // @ts-expect-error tap would not await an async function, so it is not there for types
    assert.equal(typeof popper.hooks.commit.tap, 'function');
    assert.ok(Object.isFrozen(popper) && Object.isFrozen(popper.hooks) && Object.isFrozen(popper.commands));
  }).apply(capturedPopper());
});

function capturedPopper(): Popper {
  let captured: Popper | undefined;
  const server = new TestServer([plugin('spy', (popper) => void (captured = popper))]);
  assert.ok(server && captured);
  return captured;
}

test('a plugin that says nothing of options takes none', async () => {
  const plain = definePlugin({
    name: 'plain',
    apply: (popper, options) => popper.log.info('applied', { options }),
  });
  const { log } = new TestServer([plain(), plain({})].slice(1));
  assert.deepEqual(log[0]?.fields, { plugin: 'plain', options: {} });
  const given = Reflect.apply(plain, undefined, [{ limit: 1 }]);
  assert.deepEqual(given.problems, [{ path: [], message: 'Unrecognized keys: "limit"' }]);
});

test('a plugin whose options are no schema is refused in words', () => {
  const definition = { name: 'odd', options: { limit: Number }, apply() {} };
  assert.throws(() => Reflect.apply(definePlugin, undefined, [definition]), /odd: options is to be a schema/);
});

const twin = () => plugin('twin', ({ commands }) => commands.add(command('X-TWIN')));

test('a plugin that is in the list twice and brings a command is told so', () => {
  assert.throws(
    () => new TestServer([twin(), twin()]),
    /twin: the command X-TWIN is there already: is the plugin in the list twice\?/,
  );
});
