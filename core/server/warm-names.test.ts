import { equal } from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, mock } from 'node:test';

import { WarmNames } from './warm-names.ts';

describe('names that may be looked up on the spot', () => {
  it('are those that were looked up on a disk of this machine, whether or not they were there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'popper-warm-'));
    const names = new WarmNames();
    equal(names.has(join(folder, 'mrose')), false);
    await names.add(join(folder, 'mrose'));
    equal(names.has(join(folder, 'mrose')), true);
    equal(names.has(join(folder, 'other')), false);
    await rm(folder, { recursive: true });
  });

  it('are none on a file system that may have to ask somebody, nor in a folder that is not there', async () => {
    const names = new WarmNames();
    for (const path of ['/proc/version', '/nonexistent/name']) {
      await names.add(path);
      equal(names.has(path), false, path);
    }
  });

  it('are forgotten when nobody asks for them', async () => {
    let nowMs = 1000;
    const clock = mock.method(performance, 'now', () => nowMs);
    try {
      const names = new WarmNames();
      const [polled, silent] = [join(tmpdir(), 'polled'), join(tmpdir(), 'silent')];
      await names.add(polled);
      await names.add(silent);
      for (let minutes = 0; minutes < 20; minutes += 4) {
        nowMs += 4 * 60_000;
        equal(names.has(polled), true, `after ${minutes} minutes`);
      }
      equal(names.has(silent), false);
    } finally {
      clock.mock.restore();
    }
  });
});
