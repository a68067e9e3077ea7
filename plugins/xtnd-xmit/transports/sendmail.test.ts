import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { Letter } from '../receive.ts';
import { NotSent } from '../refused.ts';
import { adviceOn } from './gained-rights.ts';
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
  const mailer = new Sendmail({ kind: 'sendmail', command, args: [] });
  return { command, mailer, send, read: (name: string) => readFile(join(folder, name), 'utf8') };
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

test('X1: what a mailer has started ends with it, where it hangs', async (t) => {
  const { send, read } = await given(t, 'sh -c "while :; do sleep 0.05; done" & echo $! > pid; wait');
  await assert.rejects(send([], AbortSignal.timeout(100)), /was ended by SIGTERM/);
  const child = Number(await read('pid'));
  for (let attempt = 0; attempt < 100 && isAlive(child); attempt += 1) await delay(20);
  assert.equal(isAlive(child), false);
});

test('X1: one of them that does not listen is killed', async (t) => {
  const { send, read } = await given(
    t,
    `sh -c 'trap "" TERM; while :; do sleep 0.05; done' & echo $! > pid; sleep 0.1; wait`,
  );
  await assert.rejects(send([], AbortSignal.timeout(300)), /was ended by SIGTERM/);
  const child = Number(await read('pid'));
  for (let attempt = 0; attempt < 200 && isAlive(child); attempt += 1) await delay(20);
  assert.equal(isAlive(child), false);
});

test('what a mailer has left to a process behind it is not killed, where it says that all is well', async (t) => {
  const { send, read } = await given(
    t,
    `sh -c 'trap "" TERM; echo > ready; sleep 2; echo yes > delivered' &
    trap "exit 0" TERM
    while :; do sleep 0.05; done`,
  );
  await send([], AbortSignal.timeout(400));
  await read('ready');
  await assert.rejects(read('delivered'), { code: 'ENOENT' });
  await delay(2500);
  assert.equal(await read('delivered'), 'yes\n');
});

test('X1: a mailer that no signal reaches is not waited for without end, and the log says that it still runs', async (t) => {
  const { send, read } = await given(t, 'echo $$ > pid; echo "busy" >&2; while :; do sleep 0.05; done');
  // What a mailer that has become root is to everybody else.
  const kill = t.mock.method(process, 'kill', () => {
    throw Object.assign(new Error('kill EPERM'), { errno: -constants.errno.EPERM, code: 'EPERM' });
  });
  const sent = send([], AbortSignal.timeout(300));
  const answer = await Promise.race([sent.catch(String), delay(5000, 'no answer', { ref: false })]);
  kill.mock.restore();
  process.kill(-Number(await read('pid')), 'SIGKILL');
  await sent.catch(() => {});
  assert.match(String(answer), /sendmail still runs, and cannot be ended: busy$/);
});

test('all that a mailer says stands in the log on one line', async (t) => {
  const { send } = await given(t, 'printf "one\\n\\n  two\\r\\nthree\\n" >&2; exit 1');
  await assert.rejects(send(), /sendmail exited with 1: one; two; three$/);
});

test('where a unit forbids the mailer to gain rights, the log says so besides what the mailer says', () => {
  const postdrop = 'postdrop: warning: create file maildrop/1.2: Permission denied';
  const advice = /; NoNewPrivileges=yes of the unit .* smtp/;
  assert.match(adviceOn(postdrop, 'Name:\tnode\nNoNewPrivs:\t1\nSeccomp:\t2\n'), advice);
  assert.match(
    adviceOn('fatal: inet_addr_local[getifaddrs]: getifaddrs: Address family', 'NoNewPrivs:\t1\n'),
    advice,
  );
  assert.equal(adviceOn(postdrop, 'Name:\tnode\nNoNewPrivs:\t0\n'), '');
  assert.equal(adviceOn('no such host', 'NoNewPrivs:\t1\n'), '');
});

test("with isolation: 'user' an operator is told of a mailer that users may not run", async (t) => {
  const { mailer, command } = await given(t, '');
  assert.equal(await mailer.fault('user'), undefined);
  await chmod(command, 0o750);
  assert.match((await mailer.fault('user'))?.what ?? '', /sendmail cannot be executed by every user/);
  assert.equal(await mailer.fault('none'), undefined);
});

/** What is dead, and nobody has looked after, counts as dead. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

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
