import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';

import { Client } from './client.ts';
import { makeMessage } from './mail.ts';

const message = makeMessage('a', 3000);
const retrieval = { line: 'RETR 1', kind: 'message', wire: message.wire() } as const;

test('a server that changes one octet of a message is found out', async (t) => {
  const wrong = Buffer.from(message.wire());
  wrong[2000] = 0x07;
  const client = await clientOf(t, [okAnd(wrong)]);
  await assert.rejects(
    client.exchange([retrieval]),
    /^Error: RETR 1: wrong octets after \d+ that were right/,
  );
});

test('a server that sends too little and waits is not taken for right', async (t) => {
  const client = await clientOf(t, [okAnd(message.wire().subarray(0, -1))], 'hang up');
  await assert.rejects(client.exchange([retrieval]), /the server hung up/);
});

test('a server that sends more than it was asked for is found out', async (t) => {
  const client = await clientOf(t, [Buffer.from('+OK\r\n+OK\r\n')]);
  await client.command('NOOP');
  await assert.rejects(client.command('NOOP'), /not asked for/);
});

test('a refused password is an error that does not tell it', async (t) => {
  const client = await clientOf(t, [Buffer.from('+OK\r\n'), Buffer.from('-ERR [AUTH] no\r\n')]);
  await assert.rejects(client.logIn('a', 'sesame'), (error: Error) => {
    assert.equal(error.message, 'PASS ...: -ERR [AUTH] no');
    return true;
  });
});

test('messages that are sent in volleys come back each to its own command, whatever the chunks', async (t) => {
  const other = makeMessage('b', 90);
  const octets = Buffer.concat([okAnd(message.wire()), okAnd(other.wire())]);
  const client = await clientOf(
    t,
    [octets.subarray(0, 7), octets.subarray(7, 1500), octets.subarray(1500)],
    'push',
  );
  const answers = await client.exchange([retrieval, { line: 'RETR 2', kind: 'message', wire: other.wire() }]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    ['+OK', '+OK'],
  );
});

test('a listing loses its byte-stuffing and its dot', async (t) => {
  const client = await clientOf(t, [Buffer.from('+OK\r\n1 abc\r\n..\r\n.\r\n')]);
  assert.deepEqual(await client.listing('UIDL'), ['1 abc', '.']);
});

const okAnd = (wire: Uint8Array): Buffer => Buffer.concat([Buffer.from('+OK\r\n'), wire]);

/**
 * A client of a server that greets and then says these things, one for each command, or all of them at the first
 * (`push`); `hang up` closes after the last.
 */
async function clientOf(
  t: TestContext,
  says: readonly Uint8Array[],
  how: 'answer' | 'push' | 'hang up' = 'answer',
): Promise<Client> {
  const left = [...says];
  const server = createServer({ noDelay: true }, (socket) => {
    socket.write('+OK ready\r\n');
    socket.on('error', () => {});
    socket.on('data', () => {
      for (const words of left.splice(0, how === 'push' ? left.length : 1)) socket.write(words);
      if (how === 'hang up' && left.length === 0) socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const client = await Client.connect(address.port);
  t.after(() => {
    client.destroy();
    server.close();
  });
  return client;
}
