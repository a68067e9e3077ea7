import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { CannotTrace } from './trace-file.ts';
import { ownUser, wayOut } from './way-out.ts';

test('who may not write the trace is told how to let him, by the name that he has', (t) => {
  const folder = mkdtempSync('/tmp/popper-trace-way-');
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'trace');
  assert.match(wayOut(new CannotTrace(path, 13), 'popper'), /^install -o popper -m 600 \/dev\/null \/tmp/);
  assert.match(wayOut(new CannotTrace(folder, 13), 'popper'), /^chown popper \/tmp/);
  const other = 'name a regular file, no link, in a folder where popper may write';
  assert.equal(wayOut(new CannotTrace(path, 30), 'popper'), other);
  assert.equal(wayOut(new CannotTrace(path, 13), undefined), other);
  assert.equal(ownUser(), userInfo().username);
});
