import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { namesOf } from './client-names.ts';
import { NameServer, type Zone } from './testing/name-server.ts';

const pointer = 'PTR 7.2.0.192.in-addr.arpa';
const { signal } = new AbortController();

async function namesIn(t: TestContext, zone: Zone, timeoutMs = 5000): Promise<readonly string[]> {
  const server = await NameServer.start(zone);
  t.after(() => server.stop());
  return namesOf('192.0.2.7', { timeoutMs, servers: [server.address], signal });
}

test('a client cannot take the name of a host that has another address', async (t) => {
  const zone = { [pointer]: ['trusted.example.org'], 'A trusted.example.org': ['198.51.100.1'] };
  assert.deepEqual(await namesIn(t, zone), []);
});

test('a client without a name, or with one that nobody knows, has none', async (t) => {
  assert.deepEqual(await namesIn(t, {}), []);
  assert.deepEqual(await namesIn(t, { [pointer]: ['gone.example.org'] }), []);
});

test('name servers that are silent are not waited for longer than was asked', async (t) => {
  assert.deepEqual(await namesIn(t, { [pointer]: 'silence' }, 50), []);
  assert.deepEqual(await namesIn(t, { [pointer]: ['a.example.org'], 'A a.example.org': 'silence' }, 50), []);
});

test('a client that leaves is not looked up any longer', async (t) => {
  const server = await NameServer.start({ [pointer]: 'silence' });
  t.after(() => server.stop());
  const gone = new AbortController();
  const names = namesOf('192.0.2.7', { timeoutMs: 60_000, servers: [server.address], signal: gone.signal });
  gone.abort();
  assert.deepEqual(await names, []);
});

test('a client has the names that lead back to it', async (t) => {
  const zone = {
    [pointer]: ['ws.example.org', 'other.example.org'],
    'A ws.example.org': ['198.51.100.1', '192.0.2.7'],
    'A other.example.org': ['198.51.100.1'],
  };
  assert.deepEqual(await namesIn(t, zone), ['ws.example.org']);
});
