import assert from 'node:assert/strict';
import { test } from 'node:test';

import { noFlags } from '../config/flags.ts';
import { tellDebugging } from './advice.ts';

for (const debug of [true, false]) {
  test(`popper ${debug ? 'with' : 'without'} -d ${debug ? 'says' : 'does not say'} that debugging is on`, () => {
    const said: string[] = [];
    tellDebugging({ flags: { ...noFlags, debug } }, { info: (message) => void said.push(message) });
    assert.deepEqual(said, debug ? ['debugging is on'] : []);
  });
}
