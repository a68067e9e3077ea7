import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { SessionLocks } from './session-locks.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-sessions-'));
});
after(() => rm(folder, { recursive: true, force: true }));

describe('session locks', () => {
  it('exclude each other by key, here and between processes, and make few files', async () => {
    const [one, other] = [new SessionLocks(join(folder, 'a')), new SessionLocks(join(folder, 'a'))];
    const keys = Array.from({ length: 1000 }, (_, index) => `/var/mail/user-${index}`);
    const releases = new Map<string, () => void>();
    for (const key of keys) {
      const release = await one.tryTake(key);
      assert.ok(release !== undefined, `${key} was taken for another key`);
      releases.set(key, release);
    }
    for (const key of keys) {
      assert.equal(await one.tryTake(key), undefined);
      assert.equal(await other.tryTake(key), undefined);
      releases.get(key)?.();
      const release = await other.tryTake(key);
      assert.ok(release !== undefined, `${key} was not let go`);
      release();
    }
    assert.ok((await readdir(join(folder, 'a'))).length <= 64);
  });

  it('hold for those who come after somebody removed the files', async () => {
    const [one, other] = [new SessionLocks(join(folder, 'b')), new SessionLocks(join(folder, 'b'))];
    const first = await one.tryTake('mrose');
    await rm(join(folder, 'b'), { recursive: true });
    assert.equal(await one.tryTake('mrose'), undefined);
    first?.();
    const again = await one.tryTake('mrose');
    assert.ok(again !== undefined);
    assert.equal(await other.tryTake('mrose'), undefined);
    again();
  });
});
