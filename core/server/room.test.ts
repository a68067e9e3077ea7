import assert from 'node:assert/strict';
import { test } from 'node:test';

import { loggerTo, type LogRecord } from '../log/logger.ts';
import { defaultSettings } from '../settings.ts';
import { capacityOf, maxOpenFiles, openFilesFor } from './descriptors.ts';
import { roomForSessions } from './room.ts';

const roomFor = async (connections: number) => {
  const log: LogRecord[] = [];
  const settings = {
    ...defaultSettings,
    listen: [],
    stateDir: '/nonexistent',
    limits: { ...defaultSettings.limits, connections },
  };
  const capacity = await roomForSessions({ settings, log: loggerTo((record) => log.push(record)) });
  return { capacity, log };
};

test('open files that suffice for a number of connections are as many as the operator is told', () => {
  for (const connections of [1, 10, 10_000, 1_000_000])
    assert.equal(capacityOf(openFilesFor(connections)), connections);
});

test('a process with hardly any open files still lets one client in', () => {
  assert.equal(capacityOf(20), 1);
});

test('an operator who allows more connections than files is told both, and what to change', async () => {
  const openFiles = await maxOpenFiles();
  assert.ok(Number.isSafeInteger(openFiles), 'Linux tells');
  const { capacity, log } = await roomFor(openFiles);
  assert.equal(capacity, capacityOf(openFiles));
  const [record] = log;
  assert.equal(record?.level, 'warn');
  assert.equal(record.fields['possible'], capacity);
  assert.match(String(record.fields['fix']), new RegExp(`LimitNOFILE=${openFilesFor(openFiles)} `));
});

test('nothing is said where the files suffice', async () => {
  const { log } = await roomFor(1);
  assert.deepEqual(log, []);
});
