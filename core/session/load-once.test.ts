import assert from 'node:assert/strict';
import { test } from 'node:test';

import { memoryHost, MemoryMaildrop, TestServer } from 'popperd/testing';

/** Brings in its columns, if at all, when asked for the nth time. */
class LateMaildrop extends MemoryMaildrop {
  readonly #succeedsAt: number;
  loadings = 0;

  constructor(succeedsAt: number) {
    super(['a\r\n']);
    this.#succeedsAt = succeedsAt;
  }

  async load(): Promise<void> {
    this.loadings += 1;
    if (this.loadings < this.#succeedsAt) throw new Error('the disk is away');
  }
}

const statuses = async (maildrop: MemoryMaildrop, commands: readonly string[]): Promise<string> => {
  const server = new TestServer([memoryHost(maildrop)]);
  const lines = await server.converse(['USER mrose', 'PASS secret', ...commands, 'QUIT']);
  return lines
    .filter((line) => /^(\+OK|-ERR)/.test(line))
    .map((line) => line.slice(0, 4).trim())
    .join(' ');
};

test('a store is asked for its columns once in a session, and not before a command needs them', async () => {
  const maildrop = new LateMaildrop(1);
  await statuses(maildrop, ['STAT', 'NOOP']);
  assert.equal(maildrop.loadings, 0);
  const other = new LateMaildrop(1);
  assert.equal(
    await statuses(other, ['LIST 1', 'UIDL 1', 'RETR 1', 'DELE 1', 'RSET']),
    '+OK '.repeat(9).trim(),
  );
  assert.equal(other.loadings, 1);
});

test('a store that could not bring them in is asked again by the next command', async () => {
  const maildrop = new LateMaildrop(2);
  assert.equal(await statuses(maildrop, ['LIST 1', 'LIST 1', 'LIST 1']), '+OK +OK +OK -ERR +OK +OK +OK');
  assert.equal(maildrop.loadings, 2);
});
