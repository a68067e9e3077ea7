import assert from 'node:assert/strict';
import { test } from 'node:test';

import { defineCommand, ok } from 'popperd';
import { memoryHost, memoryMaildrop, testPlugin, TestServer } from 'popperd/testing';

import { login } from './support.ts';

const host = () => memoryHost(memoryMaildrop(['a\r\n']));

/** A plugin with a command `PING` that announces itself. */
const ping = testPlugin('ping', ({ commands }) => {
  commands.add(
    defineCommand({
      keyword: 'PING',
      states: ['TRANSACTION'],
      usage: 'PING',
      capability: 'X-PING',
      parse: () => undefined,
      run: () => ok('pong'),
    }),
  );
});

async function capabilities(
  plugins: Parameters<typeof serve>[0],
  lines: readonly string[] = [],
): Promise<readonly string[]> {
  const said = await serve(plugins).converse([...lines, 'CAPA']);
  const from = said.lastIndexOf('+OK capability list follows');
  assert.notEqual(from, -1);
  assert.equal(said.at(-1), '.');
  return said.slice(from + 1, -1);
}

const serve = (plugins: ConstructorParameters<typeof TestServer>[0]) => new TestServer(plugins);

test('C1: CAPA is answered in both states, with a list that ends in a dot', async () => {
  assert.ok((await capabilities([host()])).length > 0);
  assert.ok((await capabilities([host()], login)).length > 0);
});

test('C1: an empty capability list is a list all the same', async () => {
  const mute = testPlugin('mute', ({ hooks }) => hooks.capabilities.tap('mute', () => []));
  assert.deepEqual(await capabilities([mute]), []);
});

test('C2: what is announced before the login is announced after it', async () => {
  const before = await capabilities([ping, host()]);
  assert.deepEqual(await capabilities([ping, host()], login), before);
  for (const line of ['USER', 'TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING', 'X-PING']) {
    assert.ok(before.includes(line), `${line} is not announced`);
  }
});

test('C6: IMPLEMENTATION has one token or more, and no version that tells an attacker what to try', async () => {
  const line = (await capabilities([])).find((capability) => capability.startsWith('IMPLEMENTATION'));
  assert.match(line ?? '', /^IMPLEMENTATION( [!-~]+)+$/);
});

test('C7: APOP is no capability', async () => {
  assert.ok(!(await capabilities([])).some((line) => line.startsWith('APOP')));
});

test('C8: what is announced can be used, and goes with the plugin that brought it', async () => {
  assert.ok((await capabilities([ping, host()])).includes('X-PING'));
  assert.equal((await new TestServer([ping, host()]).converse([...login, 'PING'])).at(-1), '+OK pong');
  assert.ok(!(await capabilities([host()])).includes('X-PING'));
  assert.equal((await new TestServer([host()]).converse([...login, 'PING'])).at(-1), '-ERR unknown command');
});

test('C8: a command announced twice stands there once', async () => {
  const before = await capabilities([ping]);
  assert.equal(new Set(before).size, before.length);
});

test('C9: tags have no dot and are told apart in any case; lines that are none in form are left out', async () => {
  for (const line of await capabilities([ping])) assert.match(line, /^[A-Z][A-Z0-9-]*( [!-~]+)*$/);
  const sloppy = testPlugin('sloppy', ({ hooks }) =>
    hooks.capabilities.tap('sloppy', (lines) => [
      ...lines,
      '.',
      'X.DOT',
      '',
      'X-TWO  SPACES',
      'X-CRLF\r\nTOP',
      'X-\u00fc',
    ]),
  );
  assert.deepEqual(await capabilities([sloppy]), await capabilities([]));
});
