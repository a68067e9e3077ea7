import assert from 'node:assert/strict';
import { test } from 'node:test';

import { mounted } from './mounting.ts';

const refused = new Error('mount failed');

/** What is said of a test whose file system cannot be mounted. */
async function fateOf(env: Readonly<Record<string, string>>, uid: number): Promise<unknown> {
  const said: unknown[] = [];
  const t = { skip: (why?: string) => said.push(why) };
  try {
    await mounted(t, () => Promise.reject(refused), { env, uid });
    return said.join();
  } catch (error) {
    return error;
  }
}

test('a test that cannot mount what it needs fails where root is to run all tests', async () => {
  for (const env of [{ CI: 'true' }, { POPPER_TEST_INSTALL: '1' }])
    assert.equal(await fateOf(env, 0), refused);
});

test('elsewhere it is skipped, and says why', async () => {
  const told = 'nothing can be mounted here: Error: mount failed';
  for (const [env, uid] of [
    [{}, 0],
    [{ CI: 'false' }, 0],
    [{ CI: 'true' }, 1000],
  ] as const)
    assert.equal(await fateOf(env, uid), told);
});

test('where it can, it has what was mounted', async () => {
  const t = { skip: () => assert.fail('it was skipped') };
  assert.equal(await mounted(t, async () => '/mnt', { env: {}, uid: 0 }), '/mnt');
});
