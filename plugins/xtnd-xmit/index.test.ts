import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { latin1, pipelined, TestServer } from 'popperd/testing';

import xtndXmit from './index.ts';
import { envelope, go, header, inLines, message, office, sent, withLogin } from './testing/office.ts';

test('X1: a client sends a message, dots and all, and the session goes on', async (t) => {
  const { talk, letters } = await office(t);
  const text = ['', '..', '...two', '.. ', 'From here', '.'];
  assert.deepEqual(await talk(['xtnd xmit', ...header, ...text, 'STAT', 'QUIT']), [
    go,
    sent,
    '+OK 1 3',
    '+OK bye',
  ]);
  assert.deepEqual(await letters(), [envelope + inLines([...header, '', '.', '..two', '. ', 'From here'])]);
});

test('X1: command, message and the next command in one segment are the same', async (t) => {
  const { talk, letters } = await office(t);
  assert.deepEqual(await talk([pipelined('XTND XMIT', ...header, '', 'hello', '.', 'STAT')]), [
    go,
    sent,
    '+OK 1 3',
  ]);
  assert.deepEqual(await letters(), [envelope + inLines([...header, '', 'hello'])]);
});

test('X1: recipients in Bcc get the message, and nobody sees them', async (t) => {
  const { talk, letters } = await office(t);
  const hidden = ['Bcc: carol@example.net,', ' dave@example.net', 'bcc : eve@example.net'];
  await talk(['XTND XMIT', ...hidden, ...header, '', 'Bcc: this stays', '.']);
  const to = ['carol', 'dave', 'eve', 'bob'].map((name) => `${name}@example.net`).join(',\r\n\t');
  assert.deepEqual(await letters(), [
    `X-Envelope-From: mrose@example.org\r\nX-Envelope-To: ${to}\r\n${inLines([...header, '', 'Bcc: this stays'])}`,
  ]);
});

test('X1: 8-bit octets arrive, and a bare LF ends a line and not the message', async (t) => {
  const { talk, letters } = await office(t);
  const text = latin1('\r\n\xe4\xff\0\n.\nQUIT\rx\r\n.\r\n');
  assert.deepEqual(await talk(['XTND XMIT', ...header, text, 'NOOP']), [go, sent, '+OK']);
  assert.deepEqual(await letters(), [envelope + inLines([...header, '', '\xe4\xff\0', '.', 'QUIT', 'x'])]);
});

test('X1: an empty text, one without recipients and one without a header cost one -ERR each', async (t) => {
  const { talk, letters } = await office(t);
  const said = await talk([
    'XTND XMIT',
    '.',
    'XTND XMIT',
    'Subject: x',
    '',
    'y',
    '.',
    'XTND XMIT',
    'hello',
    '.',
    'NOOP',
  ]);
  assert.deepEqual(said, [
    go,
    '-ERR the message is empty; nothing was sent',
    go,
    '-ERR the message has no recipients: there is none in To, Cc and Bcc; nothing was sent',
    go,
    '-ERR line 1 of the message is no header field; nothing was sent',
    '+OK',
  ]);
  assert.deepEqual(await letters(), []);
});

test('X1: of a text without its final dot nothing is sent, and no file is left', async (t) => {
  const { server, stateFolder, talk, letters } = await office(t);
  const [first] = await talk(['XTND XMIT', ...header, '', 'half a mess', latin1('.\r')]);
  assert.equal(first, go);
  const stopped = await server.record(withLogin(['XTND XMIT', ...header, '', 'half']), { ending: 'idle' });
  assert.equal(stopped.reports[0]?.ending, 'idle');
  assert.deepEqual(await letters(), []);
  assert.deepEqual(await readdir(join(stateFolder, 'spool')), []);
});

test('X1: 50 MB arrive whole, and one octet more than may be is refused after the text', async (t) => {
  const { folder, talk } = await office(t, { maxMessageOctets: 50_000_000 });
  const line = `${'x'.repeat(998)}\r\n`;
  const chunk = latin1(line.repeat(1000));
  const digest = createHash('sha256').update(envelope + inLines(header) + '\r\n');
  const large = function* (lines: number) {
    yield* ['XTND XMIT', ...header, ''];
    for (let sentChunks = 0; sentChunks < lines / 1000; sentChunks += 1) yield chunk;
    yield* ['.', 'NOOP'];
  };
  for (let chunks = 0; chunks < 49; chunks += 1) digest.update(chunk);
  assert.deepEqual(await talk(large(49_000)), [go, sent, '+OK']);
  const [name = ''] = await readdir(join(folder, 'sent'));
  const file = await readFile(join(folder, 'sent', name));
  assert.equal(createHash('sha256').update(file).digest('hex'), digest.digest('hex'));
  const refused = '-ERR the message is too long: 50000000 octets at most; nothing was sent';
  assert.deepEqual(await talk(large(50_000)), [go, refused, '+OK']);
  assert.equal((await readdir(join(folder, 'sent'))).length, 1);
});

const openFiles = async (): Promise<number> => (await readdir('/proc/self/fd')).length;

test('no file stays open, whatever became of the message', async (t) => {
  const { talk } = await office(t);
  for (const lines of [message, ['XTND XMIT', 'no header', '.'], ['XTND XMIT', ...header, '', 'half']]) {
    await talk(lines);
    const before = await openFiles();
    await talk(lines);
    assert.equal(await openFiles(), before, lines.join(' '));
  }
});

test('X1: where no spool file can be made, the client is told before it sends the text', async (t) => {
  const { server, stateFolder, talk } = await office(t);
  await mkdir(stateFolder, { recursive: true });
  await writeFile(join(stateFolder, 'spool'), 'in the way');
  const [answer, next] = await talk(['XTND XMIT', 'NOOP']);
  assert.match(answer ?? '', /^-ERR Unable to create temporary message file "[0-9a-f-]+\.tmp", errno = 17$/);
  assert.equal(next, '+OK');
  assert.ok(
    server.log.some(({ level, fields }) => level === 'warn' && String(fields['error']).includes('EEXIST')),
  );
});

test('what a process left that died is gone when the next one starts', async (t) => {
  const { server, stateFolder, talk } = await office(t);
  await talk(message);
  await writeFile(join(stateFolder, 'spool/left.tmp'), 'To: bob\r\n');
  await server.recover(1000);
  await server.recover(1001);
  assert.deepEqual(await readdir(join(stateFolder, 'spool')), []);
});

test('XTND XMIT takes no argument, and needs a login', async (t) => {
  const { server, talk } = await office(t);
  assert.deepEqual(await talk(['XTND XMIT now', 'XTND', 'XTND XMITS']), [
    '-ERR usage: XTND XMIT',
    '-ERR unknown command',
    '-ERR unknown command',
  ]);
  assert.match((await server.converse(['XTND XMIT']))[1] ?? '', /^-ERR /);
});

test("without a domain the machine's own stands behind names", async (t) => {
  const { talk, letters } = await office(t, { domain: undefined, sender: 'bounces@example.org' });
  assert.deepEqual(await talk(['XTND XMIT', 'To: bob', '', 'x', '.']), [go, sent]);
  const [letter = ''] = await letters();
  assert.ok(
    letter.startsWith(
      `X-Envelope-From: bounces@example.org\r\nX-Envelope-To: bob@${hostname()}\r\nFrom: mrose@${hostname()}\r\n`,
    ),
  );
});

test('the log says who has sent how much, and neither to whom nor what', async (t) => {
  const { server, talk } = await office(t);
  await talk(['XTND XMIT', ...header, 'Subject: a surprise', '', 'hush', '.']);
  const record = server.log.find((each) => each.message === 'message sent');
  assert.deepEqual(record?.fields, {
    plugin: 'xtnd-xmit',
    session: 'session-1',
    user: 'mrose',
    transport: 'directory',
    recipients: 1,
    octets: inLines([...header, 'Subject: a surprise', '', 'hush']).length,
  });
  assert.ok(server.log.some((each) => each.message === 'Pop transmit from "mrose" on "192.0.2.1"'));
  assert.doesNotMatch(JSON.stringify(server.log), /bob|hush|surprise/);
});

test('an operator is told of a mailer that is not there, or is a folder', async (t) => {
  for (const command of ['/nonexistent/sendmail', '/usr']) {
    const { server } = await office(t, { transport: { kind: 'sendmail', command } });
    const [finding] = await server.check();
    assert.equal(finding?.kind, 'problem');
    assert.ok(finding?.what.startsWith(`${command} cannot be executed`));
  }
  assert.deepEqual((await (await office(t)).server.check())[0]?.what, 'messages are sent by directory');
});

test("with isolation: 'user' an operator is told of what users could not use", async (t) => {
  const { folder } = await office(t);
  const transport = { kind: 'directory', folder } as const;
  const server = new TestServer([xtndXmit({ transport, domain: 'example.org' })], {
    settings: { isolation: 'user' },
  });
  t.after(() => server.stop());
  const [finding] = await server.check();
  assert.equal(finding?.kind, 'problem');
  assert.match(finding?.what ?? '', /not every user can write messages/);
});
