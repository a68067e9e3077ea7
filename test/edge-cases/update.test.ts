import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Failure, type Ending, type Plugin } from 'popperd';
import {
  identityOf,
  latin1,
  memoryHost,
  MemoryMaildrop,
  memoryState,
  MemoryStore,
  pipelined,
  testPlugin,
  TestServer,
} from 'popperd/testing';

import { login } from './support.ts';

const letters = ['a\r\n', 'b\r\n', 'c\r\n'];

/** A maildrop that notes what it is told, in order, and can be told to fail. */
class Witness extends MemoryMaildrop {
  readonly acts: string[] = [];
  readonly #failure: Error | undefined;

  constructor(failure?: Error) {
    super(letters);
    this.#failure = failure;
  }

  override async commit(deleted: ReadonlySet<number>): Promise<void> {
    this.acts.push(`commit ${[...deleted].join(' ')}`);
    if (this.#failure !== undefined) throw this.#failure;
    await super.commit(deleted);
  }

  override async close(): Promise<void> {
    this.acts.push('close');
    await super.close();
  }
}

test('U1: what was marked is gone before QUIT is answered, and the lock with it', async () => {
  const maildrop = new Witness();
  const keptAtReply: number[] = [];
  const watch = testPlugin('watch', ({ hooks }) =>
    hooks.wire.tap('watch', ({ direction, text }) => {
      if (direction === 'sent' && text === '+OK bye')
        keptAtReply.push(maildrop.kept().length, maildrop.closings);
    }),
  );
  const server = new TestServer([watch, memoryHost(maildrop)]);
  const { reports } = await server.record([...login, 'DELE 3', 'DELE 1', 'QUIT']);
  assert.deepEqual(maildrop.kept(), ['b\r\n']);
  assert.deepEqual(keptAtReply, [1, 1]);
  assert.deepEqual(maildrop.acts, ['commit 2 0', 'close']);
  assert.deepEqual(reports[0]?.deleted, { messages: 2, octets: 6 });
  assert.deepEqual(reports[0]?.left, { messages: 1, octets: 3 });
});

test('U1: a QUIT with nothing marked does not trouble the store', async () => {
  const maildrop = new Witness();
  await new TestServer([memoryHost(maildrop)]).converse([...login, 'DELE 1', 'RSET', 'RETR 1', 'QUIT']);
  assert.deepEqual(maildrop.acts, ['close']);
});

for (const [what, failure, answer] of [
  [
    'a full disk',
    new Failure('2 of 2 messages could not be removed', { code: 'SYS/TEMP' }),
    '-ERR [SYS/TEMP] 2 of 2 messages could not be removed',
  ],
  [
    'a permission that is gone',
    new Failure('the maildrop is read-only', { code: 'SYS/PERM' }),
    '-ERR [SYS/PERM] the maildrop is read-only',
  ],
  [
    'a store that throws',
    new Error('EIO: i/o error, write'),
    '-ERR [SYS/TEMP] internal error, try again later',
  ],
] as const) {
  test(`U2: ${what} during UPDATE makes QUIT say -ERR, and the session ends`, async () => {
    const maildrop = new Witness(failure);
    const server = new TestServer([memoryHost(maildrop)]);
    const { said, reports } = await server.record([...login, 'DELE 1', 'DELE 2', 'QUIT', 'STAT']);
    assert.deepEqual(said.slice(5), [answer]);
    assert.deepEqual(maildrop.acts, ['commit 0 1', 'close']);
    assert.equal(reports[0]?.ending, 'failed');
    assert.deepEqual(reports[0]?.deleted, { messages: 0, octets: 0 });
    assert.deepEqual(reports[0]?.left, { messages: 3, octets: 9 });
  });
}

test('U2: a commit tap that throws stops UPDATE before anything is removed', async () => {
  const veto = testPlugin('veto', ({ hooks }) =>
    hooks.commit.tapPromise('veto', async () => {
      throw new Failure('this mail is under legal hold', { code: 'SYS/PERM' });
    }),
  );
  const maildrop = new Witness();
  const said = await new TestServer([veto, memoryHost(maildrop)]).converse([...login, 'DELE 1', 'QUIT']);
  assert.equal(said.at(-1), '-ERR [SYS/PERM] this mail is under legal hold');
  assert.deepEqual(maildrop.acts, ['close']);
});

for (const ending of ['disconnected', 'idle', 'stopped'] satisfies readonly Ending[]) {
  test(`U3: a session that ends as ${ending} deletes nothing and lets its lock go`, async () => {
    const { server, store } = stored();
    const { reports } = await server.record([...login, 'DELE 1', 'DELE 2'], { ending });
    assert.equal(store.stored('mrose').length, 3);
    assert.equal(server.state.heldClaims, 0);
    assert.equal(reports.length, 1);
    assert.equal(reports[0]?.ending, ending);
    assert.equal((await server.converse([...login, 'STAT'])).at(-1), '+OK 3 9');
  });
}

test('U3: a plugin that throws in a command costs one -ERR, and nothing is deleted without QUIT', async () => {
  const broken = testPlugin('broken', ({ hooks }) =>
    hooks.command.for('NOOP').tapPromise('broken', async () => {
      throw new Error('oops');
    }),
  );
  const { server, store } = stored([broken]);
  const said = await server.converse([...login, 'DELE 1', 'NOOP', 'STAT']);
  assert.deepEqual(said.slice(4), ['-ERR [SYS/TEMP] internal error, try again later', '+OK 2 6']);
  assert.equal(store.stored('mrose').length, 3);
  assert.equal(server.state.heldClaims, 0);
});

test('U3: a store that cannot close is in the log, and the client still hears how its QUIT went', async () => {
  class Clinging extends MemoryMaildrop {
    override async close(): Promise<void> {
      throw new Error('EBADF');
    }
  }
  const server = new TestServer([memoryHost(new Clinging(letters))]);
  assert.equal((await server.converse([...login, 'QUIT'])).at(-1), '+OK bye');
  assert.match(String(server.log.find(({ level }) => level === 'error')?.fields['error']), /EBADF/);
});

test('U7: QUIT in one segment with DELE is done, and what comes after it is not', async () => {
  const { server, store } = stored();
  const said = await server.converse([pipelined(...login, 'DELE 1', 'QUIT', 'DELE 2', 'QUIT')]);
  assert.deepEqual(said.slice(3), ['+OK message 1 deleted', '+OK bye']);
  assert.deepEqual(store.stored('mrose').map(String), ['b\r\n', 'c\r\n']);
});

function stored(plugins: readonly Plugin[] = []): {
  readonly server: TestServer;
  readonly store: MemoryStore;
} {
  const state = memoryState();
  const store = new MemoryStore(state);
  store.deliver(identityOf('mrose').user, letters.map(latin1));
  return {
    server: new TestServer([...plugins, memoryHost((identity) => store.open(identity))], { state }),
    store,
  };
}
