import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { CannotTrace } from './trace-file.ts';
import { ownUser, wayOut } from './way-out.ts';

const other = 'name a regular file, no link, in a folder where popper may write';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync('/tmp/popper-trace-way-');
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Root may search every folder. */
function asNobody<T>(look: () => T): T {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    return look();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

test('who may not write the trace is told how to let him, by the name that he has', (t) => {
  const folder = folderOf(t);
  const path = join(folder, 'trace');
  assert.equal(
    wayOut(new CannotTrace(path, 13), 'popper'),
    `install -o popper -m 600 /dev/null ${path}, or ${other}`,
  );
  assert.equal(wayOut(new CannotTrace(folder, 13), 'popper'), `chown popper ${folder}, or ${other}`);
  assert.equal(wayOut(new CannotTrace(path, 30), 'popper'), other);
  assert.equal(wayOut(new CannotTrace(path, 13), undefined), other);
  assert.equal(ownUser(), userInfo().username);
});

test('where a folder is closed to him, it is the folder that he is told of, and nothing that empties a trace', (t) => {
  const folder = folderOf(t);
  chmodSync(folder, 0o755);
  const closed = join(folder, 'closed');
  mkdirSync(closed);
  const path = join(closed, 'trace');
  writeFileSync(path, 'lines');
  chmodSync(closed, 0o000);
  const names = [path, join(closed, 'new'), join(closed, 'deep', 'down', 'trace')];
  const fixes = asNobody(() => names.map((name) => wayOut(new CannotTrace(name, 13), 'popper')));
  chmodSync(closed, 0o700);
  for (const fix of fixes) {
    assert.equal(fix, `${closed} is closed to popper: setfacl -m u:popper:x ${closed}, or ${other}`);
  }
});
