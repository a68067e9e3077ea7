import assert from 'node:assert/strict';
import { test } from 'node:test';

import { defineCommand, type Lines, okLines } from 'popperd';
import { memoryHost, MemoryMaildrop, testPlugin, TestServer } from 'popperd/testing';

const login = ['USER mrose', 'PASS secret'];

const listing = (lines: () => Lines) =>
  testPlugin('listing', ({ commands }) => {
    commands.add(
      defineCommand({
        keyword: 'SHOW',
        states: ['AUTHORIZATION'],
        usage: 'SHOW',
        parse: () => undefined,
        run: () => okLines('here', lines()),
      }),
    );
  });

const show = async (lines: () => Lines) =>
  (await new TestServer([listing(lines)]).converse(['SHOW', 'QUIT'])).slice(1);

test('a line of a plugin that begins with a dot is stuffed, and none can end the response early', async () => {
  assert.deepEqual(await show(() => ['.', '..x', 'a\r\n.\r\n+OK bye', 'b\nc', '']), [
    '+OK here',
    '..',
    '...x',
    'a??.??+OK bye',
    'b?c',
    '',
    '.',
    '+OK bye',
  ]);
});

test('lines that come one by one are the same', async () => {
  assert.deepEqual(await show(slowly), ['+OK here', '..a', 'b', '.', '+OK bye']);
});

test('octets above 0x7E go as they are, and what is no octet does not', async () => {
  assert.deepEqual(await show(() => ['caf\u00e9', '\u20ac 5']), [
    '+OK here',
    'caf\u00e9',
    '? 5',
    '.',
    '+OK bye',
  ]);
});

test('a store that loads late is loaded before the first command that needs it, and not for a poll', async () => {
  class Lazy extends MemoryMaildrop {
    loads = 0;
    async load(): Promise<void> {
      this.loads += 1;
    }
  }
  const polled = new Lazy(['a\r\n']);
  await new TestServer([memoryHost(polled)]).converse([...login, 'STAT', 'NOOP', 'RSET', 'CAPA', 'QUIT']);
  assert.equal(polled.loads, 0);
  for (const line of ['LIST', 'UIDL', 'RETR 1', 'TOP 1 0', 'DELE 1']) {
    const used = new Lazy(['a\r\n']);
    await new TestServer([memoryHost(used)]).converse([...login, line]);
    assert.equal(used.loads, 1, line);
  }
});

test('a store that cannot load says so to the command that needs it, and the session goes on', async () => {
  class Unloadable extends MemoryMaildrop {
    async load(): Promise<void> {
      throw new Error('EIO');
    }
  }
  const said = await new TestServer([memoryHost(new Unloadable(['a\r\n']))]).converse([
    ...login,
    'LIST',
    'STAT',
  ]);
  assert.deepEqual(said.slice(3), ['-ERR [SYS/TEMP] internal error, try again later', '+OK 1 3']);
});

async function* slowly(): AsyncGenerator<string> {
  yield '.a';
  yield 'b';
}
