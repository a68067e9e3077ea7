import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nameOf } from './render-problem.ts';

const cases: readonly (readonly [file: string, workingFolder: string, name: string])[] = [
  ['/etc/popper/popper.config.ts', '/etc/popper', 'popper.config.ts'],
  ['/etc/popper/popper.config.ts', '/etc', 'popper/popper.config.ts'],
  ['/etc/popper/popper.config.ts', '/srv', '/etc/popper/popper.config.ts'],
  ['/etc/popper/popper.config.ts', '/', '/etc/popper/popper.config.ts'],
];
for (const [file, workingFolder, name] of cases) {
  test(`${file} is called ${name} in ${workingFolder}`, () => {
    assert.equal(nameOf(file, workingFolder), name);
  });
}
