import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { makeMessage } from './mail.ts';
import { placeOf } from './places.ts';

const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const two = [makeMessage('a', 100), makeMessage('b', 100)];

test('a Maildir gets each message as a file in new, in order, and nothing is left in tmp', (t) => {
  const spool = folderOf(t);
  const place = placeOf('Maildir', spool, 'u', owner);
  place.create();
  place.add(two.slice(0, 1));
  place.add(two.slice(1));
  const names = readdirSync(join(spool, 'u/new')).toSorted();
  assert.deepEqual(
    names.map((name) => readFileSync(join(spool, 'u/new', name))),
    two.map(({ text }) => Buffer.from(text)),
  );
  assert.deepEqual(readdirSync(join(spool, 'u/tmp')), []);
});

test('the message alone is what the mbox holds between its envelope line and its blank line', () => {
  const { stored, text } = makeMessage('a', 100);
  assert.equal(stored.toString(), `From sender@example.org Thu Nov 26 10:00:00 2026\n${text.toString()}\n`);
});

test('an mbox holds more messages than one call writes, each behind the other', (t) => {
  const spool = folderOf(t);
  const place = placeOf('mbox', spool, 'u', owner);
  const many = Array.from({ length: 1100 }, (_, index) => makeMessage(`m-${index}`, 50));
  place.create();
  place.add(many);
  place.add(two);
  assert.deepEqual(
    readFileSync(join(spool, 'u')),
    Buffer.concat([...many, ...two].map(({ stored }) => stored)),
  );
});

test('what is wanted no more takes no room, and no file is deleted', (t) => {
  const spool = folderOf(t);
  for (const format of ['mbox', 'Maildir'] as const) {
    const place = placeOf(format, spool, format, owner);
    place.create();
    place.add(two);
    place.clear();
  }
  assert.equal(statSync(join(spool, 'mbox')).size, 0);
  const files = readdirSync(join(spool, 'Maildir/new'));
  assert.deepEqual(
    files.map((name) => statSync(join(spool, 'Maildir/new', name)).size),
    [0, 0],
  );
});

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'popper-places-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
