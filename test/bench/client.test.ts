import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { ask, Client } from './client.ts';
import { makeMessage } from './mail.ts';
import type { Request, TakeListing } from './replies.ts';

const message = makeMessage('a', 3000);
const retrieval = { ...ask('RETR 1'), body: message.wire() };

test('a server that changes one octet of a message is found out', async (t) => {
  const wrong = Buffer.from(message.wire());
  wrong[2000] = 0x07;
  const client = await clientOf(t, [okAnd(wrong)]);
  await assert.rejects(
    client.exchange([retrieval]),
    /^Error: RETR 1: wrong octets after \d+ that were right/,
  );
});

test('the last octet of a message is looked at, too', async (t) => {
  const wrong = Buffer.from(message.wire());
  wrong[wrong.length - 1] = 0x20;
  const client = await clientOf(t, [okAnd(wrong)]);
  await assert.rejects(client.exchange([retrieval]), /wrong octets/);
});

test('a message that lacks an octet in its middle is found out', async (t) => {
  const { length } = message.wire();
  const short = Buffer.concat([message.wire().subarray(0, 1000), message.wire().subarray(1001, length)]);
  const client = await clientOf(t, [okAnd(short)]);
  await assert.rejects(client.exchange([retrieval]), /wrong octets/);
});

test('a server that sends too little and waits is not taken for right', async (t) => {
  const client = await clientOf(t, [okAnd(message.wire().subarray(0, -1))], 'hang up');
  await assert.rejects(client.exchange([retrieval]), /the server hung up/);
});

test('a server that says nothing any more is given up after two minutes', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const client = await clientOf(t, [okAnd(message.wire().subarray(0, -1)), Buffer.from('+OK\r\n')]);
  const exchanged = client.exchange([retrieval]);
  const silent = assert.rejects(exchanged, /RETR 1: silent for 120 s/);
  t.mock.timers.tick(121_000);
  await silent;
});

test('a client that is silent on its own account has patience with itself', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const client = await clientOf(t, [ok]);
  t.mock.timers.tick(1_000_000);
  await client.exchange([ask('NOOP')]);
});

test('a server that sends more than it was asked for is found out', async (t) => {
  const client = await clientOf(t, [Buffer.from('+OK\r\n+OK\r\n')]);
  await assert.rejects(client.exchange([ask('NOOP')]), /^Error: NOOP: not asked for: \+OK/);
});

test('a server that says something on its own account is found out', async (t) => {
  const client = await clientOf(t, [ok, ok], 'push');
  await client.exchange([ask('NOOP')]);
  await delay(50);
  await assert.rejects(client.exchange([ask('NOOP')]), /not asked for/);
});

test('a reply to a command that is not sent yet is not taken for its reply', async (t) => {
  const client = await clientOf(t, [Buffer.from('+OK\r\n+OK\r\n')]);
  await assert.rejects(client.exchange([ask('NOOP'), ask('NOOP')]), /not asked for/);
});

test('octets after the end of a message are found out', async (t) => {
  const client = await clientOf(t, [okAnd(Buffer.concat([message.wire(), Buffer.from('.\r\n')]))]);
  await assert.rejects(client.exchange([retrieval, ask('NOOP')]), /not asked for/);
});

test('a refused password is an error that does not tell it', async (t) => {
  const client = await clientOf(t, [ok, Buffer.from('-ERR [AUTH] no\r\n')]);
  await assert.rejects(client.exchange([ask('USER a'), ask('PASS sesame')]), (error: Error) => {
    assert.equal(error.message, 'PASS ...: -ERR [AUTH] no');
    return true;
  });
});

test('a status other than the one that is right is found out', async (t) => {
  const client = await clientOf(t, [Buffer.from('+OK 2 300\r\n')]);
  await assert.rejects(
    client.exchange([ask('STAT', '+OK 2 301')]),
    /^Error: STAT: \+OK 2 300, but the mailbox has \+OK 2 301$/,
  );
});

test('a status line that ends in a bare LF is found out, in one piece or in two', async (t) => {
  const whole = await clientOf(t, [Buffer.from('+OK ready\n')]);
  await assert.rejects(whole.exchange([ask('NOOP')]), /bare LF/);
  const torn = await clientOf(t, [Buffer.from('+OK'), Buffer.from(' ready\n')], 'push');
  await assert.rejects(torn.exchange([ask('NOOP')]), /bare LF/);
});

for (const cuts of [[7, 1500], [1, 3], [4, 5, 6], [3010]]) {
  test(`messages that are sent in volleys come back each to its own command, cut at ${cuts.join()}`, async (t) => {
    const other = makeMessage('b', 90);
    const octets = Buffer.concat([okAnd(message.wire()), okAnd(other.wire())]);
    const pieces = [0, ...cuts].map((cut, index) => octets.subarray(cut, cuts[index]));
    const client = await clientOf(t, pieces, 'push');
    await client.exchange([retrieval, { ...ask('RETR 2'), body: other.wire() }], 2);
  });
}

test('in a volley, a wrong octet is found out and told of its own command', async (t) => {
  const other = makeMessage('b', 90);
  const wrong = Buffer.from(other.wire());
  wrong[50] = 0x07;
  const client = await clientOf(t, [Buffer.concat([okAnd(message.wire()), okAnd(wrong)])], 'push');
  const volley = [retrieval, { ...ask('RETR 2'), body: other.wire() }];
  await assert.rejects(client.exchange(volley, 2), /^Error: RETR 2: wrong octets/);
});

for (const cut of [1, 5, 6, 12, 14, 15, 16]) {
  test(`a listing comes without its dot, cut at ${cut}`, async (t) => {
    const octets = Buffer.from('+OK\r\n1 abc\r\n.\r\n');
    const client = await clientOf(t, [octets.subarray(0, cut), octets.subarray(cut)], 'push');
    assert.equal(await listingOf(client), '1 abc\r\n');
  });
}

test('an empty listing is a listing', async (t) => {
  const client = await clientOf(t, [Buffer.from('+OK\r\n.\r\n')]);
  assert.equal(await listingOf(client), '');
});

async function listingOf(client: Client): Promise<string> {
  let got: string | undefined;
  const body: TakeListing = (octets) => {
    got = octets.toString('latin1');
  };
  const request: Request = { ...ask('UIDL'), body };
  await client.exchange([request]);
  return got ?? 'none';
}

const ok = Buffer.from('+OK\r\n');
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
      for (const [index, words] of left.splice(0, how === 'push' ? left.length : 1).entries()) {
        // Apart, so that each comes as a chunk of its own.
        setTimeout(() => socket.write(words), 20 * index);
      }
      if (how === 'hang up' && left.length === 0) setTimeout(() => socket.end(), 20);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const client = await Client.connect(address.port);
  t.after(async () => {
    client.destroy();
    server.close();
    // The clock of all clients ends with the last of them: a test that turns it is to have one of its own.
    await delay(20);
  });
  return client;
}
