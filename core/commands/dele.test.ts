import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Failure } from 'popperd';
import { memoryHost, MemoryMaildrop, TestServer } from 'popperd/testing';

/** Tells at the first mark whether anything may be removed. */
class Guarded extends MemoryMaildrop {
  asked = 0;
  readonly #refusal: Failure | undefined;

  constructor(refusal?: Failure) {
    super(['a\r\n', 'bb\r\n', 'ccc\r\n']);
    this.#refusal = refusal;
  }

  async mayDelete(): Promise<void> {
    this.asked += 1;
    if (this.#refusal !== undefined) throw this.#refusal;
  }
}

const session = (...commands: readonly string[]) => ['USER mrose', 'PASS secret', ...commands, 'QUIT'];

test('where a store says that nothing can be removed, DELE says it, and nothing is marked', async () => {
  const maildrop = new Guarded(new Failure('the maildrop may not be changed', { code: 'SYS/PERM' }));
  const said = await new TestServer([memoryHost(maildrop)]).converse(session('DELE 1', 'DELE 2', 'STAT'));
  assert.deepEqual(said.slice(3, 6), [
    '-ERR [SYS/PERM] the maildrop may not be changed',
    '-ERR [SYS/PERM] the maildrop may not be changed',
    '+OK 3 12',
  ]);
  assert.match(said.at(-1) ?? '', /^\+OK/);
  assert.equal(maildrop.kept().length, 3);
});

test('a store that lets messages go is asked before the first mark only, and again when there is none', async () => {
  const maildrop = new Guarded();
  const commands = ['DELE 1', 'DELE 2', 'RSET', 'DELE 3'];
  const said = await new TestServer([memoryHost(maildrop)]).converse(session(...commands));
  assert.deepEqual(
    said.slice(3, 7).map((line) => line.slice(0, 3)),
    ['+OK', '+OK', '+OK', '+OK'],
  );
  assert.equal(maildrop.asked, 2);
  assert.deepEqual(maildrop.kept(), ['a\r\n', 'bb\r\n']);
});
