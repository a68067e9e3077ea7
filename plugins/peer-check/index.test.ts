import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { ownVersion } from 'popperd';
import { NameServer, TestServer, type Zone } from 'popperd/testing';

import peerCheck from './index.ts';

/** Where clients of a TestServer come from. */
const client = '192.0.2.1';
const pointer = '1.2.0.192.in-addr.arpa';

async function serverIn(t: TestContext, zone: Zone) {
  const dns = await NameServer.start(zone);
  const server = new TestServer([peerCheck({ servers: [dns.address] })]);
  t.after(() => Promise.all([server.stop(), dns.stop()]));
  const said = () => server.log.filter(({ fields }) => fields['plugin'] === 'peer-check');
  return { dns, server, said };
}

/** What the plugin logs of one client. */
async function toldOf(t: TestContext, zone: Zone) {
  const { server, said } = await serverIn(t, zone);
  await server.converse(['QUIT']);
  for (const endMs = performance.now() + 10_000; said().length === 0; await delay(5))
    assert.ok(performance.now() < endMs, 'nothing was logged');
  return said();
}

test('a client is greeted and served while the name servers are silent', async (t) => {
  const { server, said, dns } = await serverIn(t, { [pointer]: { PTR: 'silence' } });
  const replies = await server.converse(['NOOP', 'QUIT']);
  assert.match(replies.join('\n'), /^\+OK .*\n-ERR .*\n\+OK/);
  for (const endMs = performance.now() + 10_000; dns.asked.length === 0; await delay(5))
    assert.ok(performance.now() < endMs, 'nobody was asked');
  assert.deepEqual(said(), []);
});

// The classic popper's list of log lines, 1.2.
for (const [situation, zone, line] of [
  ['has no name', {}, `(v${ownVersion}) Unable to get canonical name of client, err = 1`],
  [
    'has a name that nobody knows',
    { [pointer]: { PTR: ['gone.example.org'] } },
    `Client at "${client}" resolves to an unknown host name "gone.example.org"`,
  ],
  [
    "has somebody else's name",
    { [pointer]: { PTR: ['mail.example.com'] }, 'mail.example.com': { A: ['198.51.100.1'] } },
    `Client address "${client}" not listed for its host name "mail.example.com"`,
  ],
] satisfies readonly (readonly [string, Zone, string])[]) {
  test(`the log says, in the words of the classic popper, that a client ${situation}`, async (t) => {
    assert.deepEqual(await toldOf(t, zone), [
      { level: 'info', message: line, fields: { plugin: 'peer-check' } },
    ]);
  });
}

test('who debugs learns the name of a client whose name and address agree', async (t) => {
  const zone = { [pointer]: { PTR: ['client.example.org'] }, 'client.example.org': { A: [client] } };
  const fields = { plugin: 'peer-check', address: client, name: 'client.example.org' };
  assert.deepEqual(await toldOf(t, zone), [{ level: 'debug', message: 'client name', fields }]);
});

test('a client with several names is warned of only where none of them leads back to it', async (t) => {
  const zone = {
    [pointer]: { PTR: ['gone.example.org', 'client.example.org'] },
    'client.example.org': { A: [client] },
  };
  const [record] = await toldOf(t, zone);
  assert.deepEqual([record?.message, record?.fields['name']], ['client name', 'client.example.org']);
});

test('a name cannot write a line of its own into the log', async (t) => {
  const [record] = await toldOf(t, { [pointer]: { PTR: ['a"\n b.example.org'] } });
  assert.match(record?.message ?? '', /unknown host name "[!-~]+"$/);
});

test('what is no name server is refused with what would be one', () => {
  for (const server of ['ns.example.org', '192.0.2.53:99999', '']) {
    const [problem] = peerCheck({ servers: [server] }).problems;
    assert.match(problem?.message ?? '', /expected an address of a name server, such as "192\.0\.2\.53"/);
  }
  assert.deepEqual(peerCheck({ servers: ['192.0.2.53', '[2001:db8::53]:5353'] }).problems, []);
});
