import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { lockFile } from 'popperd';

import { Rate } from './rate.ts';

const hourMs = 3_600_000;
const nowMs = Date.parse('2026-11-29T10:00:00Z');
const locks = { tryLock: (descriptor: number) => lockFile(descriptor, 'exclusive') };

/** A file, and a way to open it as every process of a daemon does for itself. */
async function shared(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'popper-rate-test-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'rates', 'alice.sent');
  return { file, open: (maxPerHour = 3) => new Rate(file, maxPerHour, locks) };
}

test('a user may send so many messages an hour, whichever process serves him', async (t) => {
  const { open } = await shared(t);
  for (const offsetMs of [0, 60_000, 120_000]) assert.equal(await open().count(nowMs + offsetMs), undefined);
  assert.equal(await open().minutesLeft(nowMs + 120_000), 58);
  assert.equal(await open().count(nowMs + 120_000), 58);
  assert.equal(await open().count(nowMs + hourMs - 1), 1);
  assert.equal(await open().minutesLeft(nowMs + hourMs), undefined);
  assert.equal(await open().count(nowMs + hourMs), undefined);
  assert.equal(await open().count(nowMs + hourMs), 1);
});

test('messages that are sent at one moment are all counted', async (t) => {
  const { open } = await shared(t);
  const answers = await Promise.all(Array.from({ length: 10 }, () => open().count(nowMs)));
  assert.equal(answers.filter((minutes) => minutes === undefined).length, 3);
});

test('a process that had to wait for the file forgets nothing that the other has counted', async (t) => {
  const { open } = await shared(t);
  for (const offsetMs of [3, 2, 1]) assert.equal(await open().count(nowMs + offsetMs), undefined);
  assert.equal(await open().count(nowMs), 61);
});

test('a lower limit counts from then on, and a look counts nothing', async (t) => {
  const { open } = await shared(t);
  for (let look = 0; look < 5; look += 1) assert.equal(await open(1).minutesLeft(nowMs), undefined);
  assert.equal(await open().count(nowMs), undefined);
  assert.equal(await open().count(nowMs + 1), undefined);
  assert.equal(await open(1).count(nowMs + 2), 60);
});

test('a file that was cut short, or is of tomorrow, locks nobody out', async (t) => {
  const { file, open } = await shared(t);
  await open().count(nowMs);
  await writeFile(file, `${nowMs + hourMs}\n${nowMs + hourMs}\n${nowMs + hourMs}\nrubbish\n\n17`);
  assert.equal(await open().count(nowMs), undefined);
});
