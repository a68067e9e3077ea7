import { deepStrictEqual as equal } from 'node:assert/strict';
import { describe, it } from 'node:test';

import { BackOff } from './back-off.ts';

describe('the wait before a dead process is started again', () => {
  it('doubles from 100 ms to half a minute', () => {
    const backOff = new BackOff();
    const waits = Array.from({ length: 11 }, () => backOff.afterLifeOf(50));
    equal(waits, [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
  });

  it('is short again for one that was well for a minute', () => {
    const backOff = new BackOff();
    for (let deaths = 0; deaths < 8; deaths += 1) backOff.afterLifeOf(50);
    equal([backOff.afterLifeOf(60_000), backOff.afterLifeOf(59_999)], [100, 200]);
  });
});
