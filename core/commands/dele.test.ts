import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Failure } from 'popperd';
import {
  memoryHost,
  MemoryMaildrop,
  memoryMaildrop,
  testPlugin,
  TestServer,
  type TestServerOptions,
} from 'popperd/testing';

/** Says by this whether anything may be removed. */
class Guarded extends MemoryMaildrop {
  asked = 0;
  readOnly = false;
  readonly #answer: () => Promise<void>;

  constructor(answer: () => Promise<void>) {
    super(['a\r\n', 'bb\r\n', 'ccc\r\n']);
    this.#answer = answer;
  }

  mayDelete(): Promise<void> {
    this.asked += 1;
    return this.#answer();
  }
}

async function said(
  maildrop: Guarded,
  commands: readonly string[],
  options?: TestServerOptions,
): Promise<readonly string[]> {
  const server = new TestServer([memoryHost(maildrop)], options);
  const lines = await server.converse(['USER mrose', 'PASS secret', ...commands, 'QUIT']);
  return lines.slice(3, -1);
}

const refused = '-ERR [SYS/PERM] the maildrop may not be changed';

async function refuse(): Promise<void> {
  throw new Failure('the maildrop may not be changed', { code: 'SYS/PERM' });
}

test('where a store says that nothing can be removed, DELE says it, and nothing is marked', async () => {
  const maildrop = new Guarded(refuse);
  assert.deepEqual(await said(maildrop, ['DELE 1', 'DELE 2', 'STAT']), [refused, refused, '+OK 3 12']);
  assert.equal(maildrop.kept().length, 3);
});

test('a store that lets messages go is asked once, and other commands ask nothing', async () => {
  const maildrop = new Guarded(async () => {});
  const commands = ['STAT', 'LIST 1', 'DELE 1', 'DELE 2', 'RSET', 'DELE 3'];
  for (const line of await said(maildrop, commands)) assert.match(line, /^\+OK/);
  assert.equal(maildrop.asked, 1);
  assert.deepEqual(maildrop.kept(), ['a\r\n', 'bb\r\n']);
});

test('an answer that comes when the client has been told that none comes marks nothing', async () => {
  const late = Promise.withResolvers<void>();
  const maildrop = new Guarded(() => {
    if (maildrop.asked === 1) return late.promise;
    late.resolve();
    return refuse();
  });
  const lines = await said(maildrop, ['DELE 1', 'DELE 2', 'NOOP', 'STAT'], {
    settings: { hookDeadlineMs: 20 },
  });
  assert.deepEqual(lines.slice(0, 2), ['-ERR [SYS/TEMP] no answer for too long, try again later', refused]);
  assert.deepEqual(lines.at(-1), '+OK 3 12');
  assert.equal(maildrop.kept().length, 3);
});

test('a store in plain JavaScript may answer without a promise', async () => {
  const maildrop = Object.assign(new Guarded(refuse), { mayDelete: () => undefined });
  assert.match((await said(maildrop, ['DELE 1']))[0] ?? '', /^\+OK/);
  assert.equal(maildrop.kept().length, 2);
});

test('a maildrop that is read only takes marks, whatever it would say', async () => {
  const maildrop = Object.assign(new Guarded(refuse), { readOnly: true });
  assert.match((await said(maildrop, ['DELE 1']))[0] ?? '', /^\+OK/);
  assert.equal(maildrop.asked, 0);
});

test('what is marked while messages are being removed stays', async () => {
  const late = testPlugin('late', ({ hooks }) =>
    hooks.commit.tapPromise('late', async (_, { deletions }) => deletions.mark(2)),
  );
  const maildrop = memoryMaildrop(['a\r\n', 'bb\r\n']);
  await new TestServer([late, memoryHost(maildrop)]).converse([
    'USER mrose',
    'PASS secret',
    'DELE 1',
    'QUIT',
  ]);
  assert.deepEqual(maildrop.kept(), ['bb\r\n']);
});
