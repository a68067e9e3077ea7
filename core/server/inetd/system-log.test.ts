import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { after, test } from 'node:test';

import { DatagramReader } from '../testing/datagram-reader.ts';
import { systemLog } from './system-log.ts';

const folder = await mkdtemp(join(tmpdir(), 'popper-system-log-'));
after(() => rm(folder, { recursive: true }));

const written = (stream: Writable, text: string): Promise<void> =>
  new Promise((resolve) => {
    stream.write(text, () => resolve());
  });

test('what was said to nobody is in the syslog where the classic popper logged: local0, each line for itself', async (t) => {
  const address = join(folder, 'log');
  const reader = await DatagramReader.open(address);
  t.after(() => reader.close());
  await written(systemLog(address), 'Usage: popper [-d]\n\npopper: caf\u00e9\n');
  const head = String.raw`^<131>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d popper\[${process.pid}\]: `;
  await reader.with(new RegExp(String.raw`${head}popper: caf\\u\{e9\}$`));
  assert.match(reader.read[0]?.lines.join() ?? '', new RegExp(String.raw`${head}Usage: popper \[-d\]$`));
  assert.equal(reader.read.length, 2);
});

test('a line that is too long for a syslog is cut', async (t) => {
  const address = join(folder, 'long');
  const reader = await DatagramReader.open(address);
  t.after(() => reader.close());
  await written(systemLog(address), `${'x'.repeat(5000)}\n`);
  const { lines } = await reader.with(/xxx\.\.\.$/);
  assert.equal(lines.join().length, 1024);
});

test('where there is no syslog, or one that does not read, nobody waits for it for ever', async (t) => {
  await written(systemLog(join(folder, 'nobody')), 'popper: cannot start\n');
  const address = join(folder, 'deaf');
  const reader = await DatagramReader.open(address, 60);
  t.after(() => reader.close());
  const beganMs = performance.now();
  await written(systemLog(address, { patienceMs: 100 }), 'x\n'.repeat(10_000));
  assert.ok(performance.now() - beganMs < 10_000);
});

test('a syslog that is busy is asked again', async (t) => {
  const address = join(folder, 'busy');
  const reader = await DatagramReader.open(address, 1);
  t.after(() => reader.close());
  await written(systemLog(address, { patienceMs: 30_000 }), `${'x\n'.repeat(2000)}end\n`);
  await reader.with(/: end$/);
  assert.equal(reader.read.length, 2001);
});
