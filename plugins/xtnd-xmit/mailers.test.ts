import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

import { latin1 } from 'popperd/testing';

import { go, header, mailer, message, office, sent } from './testing/office.ts';

test('X1: a mailer that fails, is killed or is not there costs one -ERR, and the log has the cause', async (t) => {
  const fails = await mailer(t, 'echo "queue is full" >&2; exit 75');
  assert.deepEqual(await fails.talk([...message, 'NOOP']), [go, '-ERR Unable to send message', '+OK']);
  assert.match(
    JSON.stringify(fails.server.log.map(({ fields }) => String(fields['error']))),
    /exited with 75: queue is full/,
  );
  const killed = await mailer(t, 'kill -9 $$');
  assert.deepEqual(await killed.talk([...message, 'NOOP']), [go, '-ERR Unable to send message', '+OK']);
  const missing = await office(t, { transport: { kind: 'sendmail', command: '/nonexistent/send-mail' } });
  assert.deepEqual(await missing.talk([...message, 'NOOP']), [
    go,
    '-ERR Unable to execute "send-mail" (2)',
    '+OK',
  ]);
});

test('X1: a mailer that does not end is ended in time, and the session goes on', async (t) => {
  const made = await office(t, {
    transport: { kind: 'sendmail', command: '/bin/cat', args: ['/dev/zero'] },
    timeoutMs: 100,
  });
  const said = await made.talk([...message, 'NOOP']);
  assert.deepEqual(said, [go, '-ERR Unable to send message', '+OK']);
});

test('a mailer gets the message from its standard input and the recipients from its command line, in LF lines', async (t) => {
  const { folder, talk } = await mailer(t, 'printf "%s\\n" "$@" > words; cat > text');
  assert.deepEqual(await talk(message), [go, sent]);
  const words = ['-i', '-oem', '-f', 'mrose@example.org', '--', 'bob@example.net'];
  assert.equal(await readFile(join(folder, 'words'), 'utf8'), `${words.join('\n')}\n`);
  assert.equal(await readFile(join(folder, 'text'), 'utf8'), [...header, '', 'hello', ''].join('\n'));
});

for (const to of [
  '-oQ/tmp@example.net',
  '"-oQ/tmp"@example.net',
  '|touch pwned',
  '"|touch pwned"@example.net',
  '/tmp/pwned',
  'bob@example.net\0-t',
]) {
  test(`a mailer is not run for a recipient like ${JSON.stringify(to)}`, async (t) => {
    const { folder, talk } = await mailer(t, 'touch run');
    const [, answer] = await talk(['XTND XMIT', 'To: bob@example.net', `Cc: ${to}`, '', 'x', '.']);
    assert.match(answer ?? '', /^-ERR .*; nothing was sent$/);
    assert.deepEqual(await readdir(folder), ['sendmail']);
  });
}

test('a text that hides a second message behind a bare LF or CR is one message to whoever gets it', async (t) => {
  const { folder, talk } = await mailer(t, 'cat > text');
  const smuggled = latin1('\r\nhi\n.\r\nMAIL FROM:<eve@evil.example>\r.\rDATA\r\n.\r\n');
  assert.deepEqual(await talk(['XTND XMIT', ...header, smuggled, 'NOOP']), [go, sent, '+OK']);
  const text = await readFile(join(folder, 'text'), 'utf8');
  assert.equal(text.split('\n\n')[1], 'hi\n.\nMAIL FROM:<eve@evil.example>\n.\nDATA\n');
});

test('the log does not say that a message was not sent which some have got', async (t) => {
  const server = createServer(refuseCarol).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const made = await office(t, { transport: { kind: 'smtp', host: '127.0.0.1', port, tls: 'none' } });
  const copied = ['XTND XMIT', ...header, 'Cc: carol@example.net', '', 'hello', '.'];
  assert.deepEqual(await made.talk(copied), [go, '-ERR Sent, but not to carol@example.net']);
  const [warning] = made.server.log.filter(({ level }) => level === 'warn');
  assert.equal(warning?.message, 'message sent, but not to all');
  assert.deepEqual([warning?.fields['rejected'], warning?.fields['recipients']], [1, 2]);
});

/** A server that knows everybody but her. */
function refuseCarol(socket: Socket): void {
  let isText = false;
  socket.write('220 here\r\n');
  createInterface(socket).on('line', (line) => {
    if (isText && line !== '.') return;
    isText = line === 'DATA';
    const other = line.includes('carol') ? '550 no such user' : '250 yes';
    socket.write(`${isText ? '354 go on' : other}\r\n`);
  });
}
