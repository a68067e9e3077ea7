import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { setPassword } from 'popper-plugin-auth-passwd';

import { introduction } from './introduction.ts';
import { settle } from './settle.ts';

test('a second start prints the password of the first, and none that is refused after somebody changed it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'popper-demo-'));
  t.after(() => rm(folder, { recursive: true }));
  const first = await settle(folder);
  assert.deepEqual(await settle(folder), first);
  await setPassword(join(folder, 'passwd'), first.user, Buffer.from('another'));
  const later = await settle(folder);
  assert.equal(later.password, undefined);
  const said = introduction({ ...later, folder, address: '127.0.0.1:1110' });
  assert.match(said, /demo:PASSWORD pop3:/);
  assert.match(said, /PASSWORD is the one that demo was given since/);
  assert.ok(!said.includes(String(first.password)));
});
