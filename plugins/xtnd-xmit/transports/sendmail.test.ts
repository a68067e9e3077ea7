import assert from 'node:assert/strict';
import { chmod, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import type { Letter } from '../receive.ts';
import { NotSent } from '../refused.ts';
import { Sendmail } from './sendmail.ts';

const text = 'To: bob@example.org\n\n.\nhello\n';

/** A mailer that is this script, and a letter for it. */
async function given(t: TestContext, script: string, to: readonly string[] = ['bob@example.org']) {
  const folder = await mkdtemp(join(tmpdir(), 'popper-sendmail-test-'));
  const command = join(folder, 'sendmail');
  await writeFile(command, `#!/bin/sh\ncd ${folder}\n${script}\n`);
  await chmod(command, 0o755);
  const file = await open(join(folder, 'message'), 'w+');
  await file.write(text, 0);
  t.after(async () => {
    await file.close();
    await rm(folder, { recursive: true });
  });
  const letter: Letter = {
    envelope: { from: 'alice@example.org', to },
    file,
    octets: text.length,
    isSevenBit: true,
  };
  const send = (args: string[] = [], signal = AbortSignal.timeout(20_000)) =>
    new Sendmail({ kind: 'sendmail', command, args }).send(letter, signal);
  return { send, read: (name: string) => readFile(join(folder, name), 'utf8') };
}

test('the mailer is given sender and recipients as words, and the whole text', async (t) => {
  const { send, read } = await given(t, 'printf "%s\\n" "$@" > words; cat > text', [
    'bob@example.org',
    'carol@example.net',
  ]);
  await send(['-C', '/nowhere']);
  assert.deepEqual((await read('words')).split('\n').slice(0, -1), [
    '-C',
    '/nowhere',
    '-i',
    '-oem',
    '-f',
    'alice@example.org',
    '--',
    'bob@example.org',
    'carol@example.net',
  ]);
  assert.equal(await read('text'), text);
});

test('nothing that stands behind the two dashes is read by a shell, or as an option', async (t) => {
  const { send, read } = await given(t, 'while [ "$1" != -- ]; do shift; done; printf "%s\\n" "$@" > words', [
    '-oQ/tmp@example.org',
    '$(touch pwned)@example.org',
  ]);
  await send();
  assert.equal(await read('words'), '--\n-oQ/tmp@example.org\n$(touch pwned)@example.org\n');
});

test('the mailer learns nothing of the environment of the daemon', async (t) => {
  process.env['POPPER_TEST_SECRET'] = 'hunter2';
  const { send, read } = await given(t, 'env > environment');
  await send();
  assert.doesNotMatch(await read('environment'), /hunter2/);
});

test('X1: a mailer that fails says why to the log', async (t) => {
  const { send } = await given(t, 'echo "no such host" >&2; exit 68');
  await assert.rejects(send(), /sendmail exited with 68: no such host/);
});

test('a mailer that leaves a process behind, which holds on to its output, is not waited for', async (t) => {
  const { send, read } = await given(t, 'sleep 300 & echo $! > pid; echo "later" >&2; exit 1');
  await assert.rejects(send(), /sendmail exited with 1: later/);
  process.kill(Number(await read('pid')));
});

test('X1: a mailer that is killed, or hangs, has not sent the message', async (t) => {
  await assert.rejects((await given(t, 'kill -9 $$')).send(), /was ended by SIGKILL/);
  const hangs = await given(t, 'trap "" TERM; while :; do sleep 0.05; done');
  await assert.rejects(hangs.send([], AbortSignal.timeout(100)), /was ended by SIGKILL/);
});

test('X1: a mailer that is not there cannot be executed', async (t) => {
  const { send } = await given(t, '');
  const missing = new Sendmail({ kind: 'sendmail', command: '/nonexistent/sendmail', args: [] });
  assert.match((await missing.fault())?.what ?? '', /\/nonexistent\/sendmail cannot be executed/);
  await send();
  const file = await open('/dev/null');
  t.after(() => file.close());
  const letter: Letter = { envelope: { from: 'a@b', to: ['c@d'] }, file, octets: 0, isSevenBit: true };
  await assert.rejects(missing.send(letter, AbortSignal.timeout(20_000)), (error) => {
    assert.ok(error instanceof NotSent);
    assert.equal(error.message, 'Unable to execute "sendmail" (2)');
    return true;
  });
});
