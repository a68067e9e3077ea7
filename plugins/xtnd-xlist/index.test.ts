import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Failure } from 'popperd';
import { memoryHost, memoryMaildrop, MemoryMaildrop, TestServer, type Client } from 'popperd/testing';

import xtndXlist from './index.ts';

const login = ['USER mrose', 'PASS secret'];
const coming = '+OK xlst command accepted; headers coming.';

/** Logs in, says these lines and leaves. Gives what the server said after the login. */
async function afterLogin(maildrop: MemoryMaildrop, lines: Client): Promise<readonly string[]> {
  const server = new TestServer([memoryHost(maildrop), xtndXlist()]);
  const client = (async function* () {
    yield* login;
    yield* lines;
  })();
  return (await server.converse(client)).slice(login.length + 1);
}

const mail = () =>
  memoryMaildrop([
    'Received: one\r\nReceived: two\r\nSubject: plain\r\nMessage-Id: <1@example.org>\r\n\r\nSubject: body\r\n',
    'subject: folded\n\tonce\n  and twice\nFrom: bob@example.org\n\ntext\n',
    'From: carol@example.org\r\n\r\nno subject\r\n',
    'SUBJECT: =?utf-8?Q?gr=C3=BC=C3=9Fe?=\r\n\r\n',
  ]);

test('X3: XLIST gives the number and the whole line of every message that has the header', async () => {
  assert.deepEqual(await afterLogin(mail(), ['XTND XLIST Subject', 'NOOP']), [
    coming,
    '1 Subject: plain',
    '2 subject: folded',
    '\tonce',
    '  and twice',
    '4 SUBJECT: =?utf-8?Q?gr=C3=BC=C3=9Fe?=',
    '.',
    '+OK',
  ]);
});

test('X3: XLST, as clients call it, is the same command, in any case', async () => {
  const expected = await afterLogin(mail(), ['XTND XLIST Message-Id']);
  assert.deepEqual(expected, [coming, '1 Message-Id: <1@example.org>', '.']);
  assert.deepEqual(await afterLogin(mail(), ['XTND XLST Message-Id']), expected);
  assert.deepEqual(await afterLogin(mail(), ['xtnd xlst message-ID']), expected);
});

test('X3: a header is told by its beginning, colon or not, and only its first line counts', async () => {
  assert.deepEqual(
    await afterLogin(mail(), ['XTND XLST Sub 1', 'XTND XLST Subject: 1', 'XTND XLST Received 1']),
    [coming, '1 Subject: plain', '.', coming, '1 Subject: plain', '.', coming, '1 Received: one', '.'],
  );
});

test('X3: with a number there is that message only, and nothing where it lacks the header', async () => {
  assert.deepEqual(await afterLogin(mail(), ['XTND XLST Subject 2', 'XTND XLIST Subject 3']), [
    coming,
    '2 subject: folded',
    '\tonce',
    '  and twice',
    '.',
    coming,
    '.',
  ]);
});

test('X3: a deleted message is left out, asked for by number it is refused, and others keep their numbers', async () => {
  assert.deepEqual(await afterLogin(mail(), ['DELE 2', 'XTND XLST Subject', 'XTND XLST Subject 2', 'NOOP']), [
    '+OK message 2 deleted',
    coming,
    '1 Subject: plain',
    '4 SUBJECT: =?utf-8?Q?gr=C3=BC=C3=9Fe?=',
    '.',
    '-ERR message 2 is deleted',
    '+OK',
  ]);
});

test('X3: 0, a number out of range and a word too many or too few are refused, and the session goes on', async () => {
  const lines = [
    'XTND XLIST',
    'XTND XLIST Subject 0',
    'XTND XLST Subject 1 2',
    'XTND XLST  1',
    'XTND XLST Subject 5',
  ];
  assert.deepEqual(await afterLogin(mail(), [...lines, 'NOOP']), [
    '-ERR usage: XTND XLIST header [msg]',
    '-ERR usage: XTND XLIST header [msg]',
    '-ERR usage: XTND XLST header [msg]',
    '-ERR usage: XTND XLST header [msg]',
    '-ERR there is no message 5',
    '+OK',
  ]);
});

test('X3: an empty maildrop has an empty list', async () => {
  assert.deepEqual(await afterLogin(memoryMaildrop([]), ['XTND XLIST Subject']), [coming, '.']);
});

test('nobody sees a header before the login', async () => {
  const server = new TestServer([memoryHost(mail()), xtndXlist()]);
  const [, answer] = await server.converse(['XTND XLIST Subject']);
  assert.match(answer ?? '', /^-ERR /);
});

test('a header that was written to end the list early does not', async () => {
  const maildrop = memoryMaildrop(['Subject: a\r.\r+OK\r\n\r\n', 'Subject: b\xe9\0\r\n\r\n']);
  assert.deepEqual(await afterLogin(maildrop, ['XTND XLIST Subject']), [
    coming,
    '1 Subject: a?.?+OK',
    '2 Subject: b\xe9\0',
    '.',
  ]);
});

/** A store that cannot read its second message. */
class Torn extends MemoryMaildrop {
  override read(index: number): AsyncGenerator<Uint8Array> {
    if (index === 1) throw new Failure('message changed, log in again', { code: 'SYS/TEMP' });
    return super.read(index);
  }
}

test('a message that cannot be read is told of, and a list that comes upon one has no end', async () => {
  const texts = ['Subject: one\r\n\r\n', 'Subject: two\r\n\r\n'];
  assert.deepEqual(
    await afterLogin(new Torn(texts), ['XTND XLST Subject 2', 'NOOP', 'XTND XLST Subject', 'NOOP']),
    ['-ERR [SYS/TEMP] message changed, log in again', '+OK', coming, '1 Subject: one'],
  );
});

test('a client that leaves in the middle of a list of 100,000 messages is not read for any longer', async () => {
  let reads = 0;
  class Counted extends MemoryMaildrop {
    override async *read(): AsyncGenerator<Uint8Array> {
      reads += 1;
      yield Buffer.from('Subject: one\r\n\r\n');
    }
  }
  const server = new TestServer([
    memoryHost(new Counted(Array.from({ length: 100_000 }, () => 'a\r\n'))),
    xtndXlist(),
  ]);
  const { reports } = await server.record([...login, 'XTND XLIST Subject'], { afterSentOctets: 5000 });
  assert.equal(reports[0]?.ending, 'disconnected');
  assert.ok(reads < 1000, `${reads} messages were read`);
});

test('others are served while 40,000 messages in memory are looked through in vain', async () => {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const drop = memoryMaildrop(Array.from({ length: 40_000 }, () => 'From: a\r\nTo: b\r\n\r\nx\r\n'));
  assert.deepEqual(await afterLogin(drop, ['XTND XLIST Subject']), [coming, '.']);
  isOver = true;
  assert.ok(turns > 3, `${turns} turns`);
});
