import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { NameServer, type Zone } from '../testing/name-server.ts';
import { type HostNames, isNameServer, lookUpHost } from './host-names.ts';
import { pointerName } from './pointer-name.ts';

const v6 = '2001:0db8:0000:0000:0000:0000:0000:0001';
const v6Arpa = pointerName(v6);

async function find(t: TestContext, zone: Zone, address: string, timeoutMs = 10_000): Promise<HostNames> {
  const server = await NameServer.start(zone);
  t.after(() => server.stop());
  const { signal } = new AbortController();
  return lookUpHost(address, { timeoutMs, servers: [server.address], signal });
}

test('a name server that never answers is given up in time, and an address without a name is not blamed for ever', async (t) => {
  const zone: Zone = { [pointerName('192.0.2.1')]: { PTR: 'silence' } };
  assert.deepEqual(await find(t, zone, '192.0.2.1', 50), {
    kind: 'no name',
    errorNumber: 2,
    isTemporary: true,
  });
  const silentLater: Zone = {
    [pointerName('192.0.2.1')]: { PTR: ['slow.example.org'] },
    'slow.example.org': { A: 'silence' },
  };
  assert.deepEqual(await find(t, silentLater, '192.0.2.1', 500), {
    kind: 'names',
    names: [{ kind: 'unknown', name: 'slow.example.org', isTemporary: true }],
  });
});

test('a name that its owner made up is unknown, and one that is of somebody else is not his', async (t) => {
  const zone: Zone = {
    [pointerName('192.0.2.1')]: { PTR: ['made-up.example.org'] },
    [pointerName('192.0.2.2')]: { PTR: ['mail.example.com'] },
    'mail.example.com': { A: ['198.51.100.1', '198.51.100.2'] },
  };
  const made = { kind: 'unknown', name: 'made-up.example.org', isTemporary: false };
  assert.deepEqual(await find(t, zone, '192.0.2.1'), { kind: 'names', names: [made] });
  const borrowed = { kind: 'not listed', name: 'mail.example.com', isTemporary: false };
  assert.deepEqual(await find(t, zone, '192.0.2.2'), { kind: 'names', names: [borrowed] });
});

test('an address without a name says whether there is none or the name server fails', async (t) => {
  const zone: Zone = {
    [pointerName('192.0.2.2')]: { PTR: 'failure' },
    [pointerName('192.0.2.3')]: { PTR: [] },
  };
  const numberOf = async (address: string): Promise<unknown> => {
    const finding = await find(t, zone, address);
    return finding.kind === 'no name' && [finding.errorNumber, finding.isTemporary];
  };
  assert.deepEqual(await numberOf('192.0.2.1'), [1, false]);
  assert.deepEqual(await numberOf('192.0.2.2'), [2, true]);
  assert.deepEqual(await numberOf('192.0.2.3'), [4, false]);
});

test('a host is known by any of its addresses and names, of either family', async (t) => {
  const zone: Zone = {
    [pointerName('192.0.2.1')]: { PTR: ['alias.example.org', 'client.example.org'] },
    [v6Arpa]: { PTR: ['client.example.org'] },
    'alias.example.org': { A: ['192.0.2.77'] },
    'client.example.org': { A: ['192.0.2.9', '192.0.2.1'], AAAA: [v6] },
  };
  const alias = { kind: 'not listed', name: 'alias.example.org', isTemporary: false };
  const agrees = { kind: 'agrees', name: 'client.example.org', isTemporary: false };
  assert.deepEqual(await find(t, zone, '192.0.2.1'), { kind: 'names', names: [alias, agrees] });
  for (const address of ['2001:db8::1', '2001:DB8:0::1'])
    assert.deepEqual(await find(t, zone, address), { kind: 'names', names: [agrees] });
});

test('a name without an address of the family that the client came by is unknown', async (t) => {
  const zone: Zone = {
    [v6Arpa]: { PTR: ['four.example.org'] },
    'four.example.org': { A: ['192.0.2.1'] },
  };
  const host = await find(t, zone, '2001:db8::1');
  assert.ok(host.kind === 'names');
  assert.equal(host.names[0].kind, 'unknown');
});

test('a daemon that stops does not wait for name servers', async (t) => {
  const server = await NameServer.start({ [pointerName('192.0.2.1')]: { PTR: 'silence' } });
  t.after(() => server.stop());
  const stopping = new AbortController();
  const found = lookUpHost('192.0.2.1', {
    timeoutMs: 60_000,
    servers: [server.address],
    signal: stopping.signal,
  });
  stopping.abort();
  assert.equal((await found).kind, 'no name');
  const late = { timeoutMs: 60_000, servers: [server.address], signal: stopping.signal };
  assert.deepEqual(await lookUpHost('192.0.2.1', late), {
    kind: 'no name',
    errorNumber: 2,
    isTemporary: true,
  });
});

test('a name that is given twice is one name', async (t) => {
  const names = ['a.example.org', 'a.example.org', 'a.example.org', 'a.example.org', 'b.example.org'];
  const zone = { [pointerName('192.0.2.1')]: { PTR: names }, 'b.example.org': { A: ['192.0.2.1'] } };
  const host = await find(t, zone, '192.0.2.1');
  assert.ok(host.kind === 'names');
  assert.deepEqual(
    host.names.map(({ name }) => name),
    ['a.example.org', 'b.example.org'],
  );
});

test('a host with very many names costs no more questions than one with a few', async (t) => {
  const names = Array.from({ length: 50 }, (_, index) => `n${index}.example.org`);
  const server = await NameServer.start({ [pointerName('192.0.2.1')]: { PTR: names } });
  t.after(() => server.stop());
  const { signal } = new AbortController();
  await lookUpHost('192.0.2.1', { timeoutMs: 10_000, servers: [server.address], signal });
  assert.equal(server.asked.length, 5);
});

test('a name server is known by its address, with or without a port', () => {
  for (const server of ['192.0.2.53', '192.0.2.53:5353', '[2001:db8::53]:5353'])
    assert.ok(isNameServer(server));
  for (const server of ['ns.example.org', '192.0.2.53:99999', '']) assert.ok(!isNameServer(server), server);
});
