import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Failure, type Maildrop, type Plugin } from 'popperd';
import { memoryHost, MemoryMaildrop, memoryMaildrop, testPlugin, TestServer } from 'popperd/testing';

/** Wraps what was opened, keeps something open of its own, and closes both. */
class Wrapper extends MemoryMaildrop {
  readonly #inner: Maildrop;

  constructor(inner: Maildrop) {
    super(['a bulletin\r\n']);
    this.#inner = inner;
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#inner.close();
  }
}

/** Plugins that wrap, and what they made, innermost first. */
function wrappers(count: number) {
  const made: Wrapper[] = [];
  const plugins = Array.from({ length: count }, (_, index) =>
    testPlugin(`wrapper-${index}`, ({ hooks }) =>
      hooks.maildrop.tapPromise('wrapper', async (inner) => {
        const wrapper = new Wrapper(inner);
        made.push(wrapper);
        return wrapper;
      }),
    ),
  );
  return { made, plugins };
}

const failing = (error: Error): Plugin =>
  testPlugin('fails', ({ hooks }) =>
    hooks.maildrop.tapPromise('fails', async () => {
      throw error;
    }),
  );

const login = ['USER mrose', 'PASS secret'];

for (const count of [0, 1, 2]) {
  test(`a maildrop that ${count} plugins have wrapped is closed from the outside, once, where the next one fails`, async () => {
    const stored = memoryMaildrop(['a\r\n']);
    const { made, plugins } = wrappers(count);
    const server = new TestServer([memoryHost(stored), ...plugins, failing(new Error('no bulletins today'))]);
    const said = await server.converse([...login, 'STAT']);
    assert.equal(said.at(-1), '-ERR [SYS/TEMP] internal error, try again later');
    assert.deepEqual(
      [stored, ...made].map(({ closings }) => closings),
      Array.from({ length: count + 1 }, () => 1),
    );
    const { error } = server.log.find(({ level }) => level === 'error')?.fields ?? {};
    assert.match(String(error), /plugin fails, hook maildrop: no bulletins today/);
  });
}

test('a plugin that refuses to wrap tells the client why in its own words', async () => {
  const { plugins } = wrappers(1);
  const refusal = failing(new Failure('read the rules first', { code: 'SYS/PERM' }));
  const said = await new TestServer([memoryHost(memoryMaildrop([])), ...plugins, refusal]).converse(login);
  assert.equal(said.at(-1), '-ERR [SYS/PERM] read the rules first');
});

test('a session whose maildrop is wrapped closes it from the outside, once', async () => {
  const stored = memoryMaildrop(['a\r\n']);
  const { made, plugins } = wrappers(2);
  await new TestServer([memoryHost(stored), ...plugins]).converse([...login, 'QUIT']);
  assert.deepEqual(
    [stored, ...made].map(({ closings }) => closings),
    [1, 1, 1],
  );
});

test('a fault of a wrapped maildrop is logged with the names of all who had a hand in it', async () => {
  class Short extends Wrapper {
    override octetsOf(): number {
      return 1000;
    }
  }
  const shortens = testPlugin('shortens', ({ hooks }) =>
    hooks.maildrop.tapPromise('shortens', async (inner) => new Short(inner)),
  );
  const looks = testPlugin('looks', ({ hooks }) =>
    hooks.maildrop.tapPromise('looks', async (inner) => inner),
  );
  const server = new TestServer([memoryHost(memoryMaildrop([])), looks, shortens]);
  await server.converse([...login, 'RETR 1', 'QUIT']);
  const fault = server.log.find(({ level }) => level === 'error');
  assert.equal(fault?.fields['plugin'], 'memory-host, shortens');
});
