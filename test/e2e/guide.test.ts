import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { needs, run } from './support/program.ts';

const guide = join(import.meta.dirname, '../../docs/guide/five-minutes.md');

test("the guide's line for procmail makes an mbox with one message", needs('procmail'), async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'popper-guide-'));
  t.after(() => rm(home, { recursive: true }));
  const line = (await readFile(guide, 'utf8')).split('\n').find((text) => text.includes('| procmail '));
  assert.ok(line !== undefined, 'the guide has no such line any more');
  await mkdir(join(home, 'var/mail'), { recursive: true });
  await run('sh', ['-ec', line], { home });
  const mbox = await readFile(join(home, 'var/mail/demo'), 'latin1');
  assert.match(
    mbox,
    /^From me +\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\nFrom: me\nSubject: hello\n\nHello\.\n\n$/,
  );
});
