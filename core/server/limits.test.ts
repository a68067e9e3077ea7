import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Crowds } from './crowds.ts';
import { Limits } from './limits.ts';

test('one address has so many places, gets them back as they are left, and others have their own', () => {
  const limits = new Limits({ connections: 3, connectionsPerAddress: 2 });
  const leave = limits.admit('192.0.2.1');
  assert.ok(leave);
  assert.ok(limits.admit('192.0.2.1'));
  assert.equal(limits.admit('192.0.2.1'), undefined);
  assert.ok(limits.admit('192.0.2.2'), 'another address has its own places');
  leave();
  assert.ok(limits.admit('192.0.2.1'));
});

const onePlace = { connections: 10, connectionsPerAddress: 1 };

const same: readonly (readonly [who: string, first: string, second: string])[] = [
  ['one IPv4 client, whichever way the socket writes it', '192.0.2.1', '::ffff:192.0.2.1'],
  ['addresses of one IPv6 network', '2001:db8:0:1::1', '2001:db8:0:1:ffff:ffff:ffff:ffff'],
  ['addresses of one IPv6 network, written short and long', '2001:db8::1', '2001:0db8:0000:0000:1::2'],
  ['link-local clients of two interfaces', 'fe80::1%eth0', 'fe80::2%eth1'],
  ['the loopback and its neighbour', '::1', '::2'],
];

for (const [who, first, second] of same) {
  test(`${who} share their places`, () => {
    const limits = new Limits(onePlace);
    const leave = limits.admit(first);
    assert.ok(leave);
    assert.equal(limits.admit(second), undefined);
    leave();
    assert.ok(limits.admit(second));
  });
}

const different: readonly (readonly [who: string, first: string, second: string])[] = [
  ['IPv4 clients next to each other', '192.0.2.1', '192.0.2.2'],
  ['IPv4 clients of a socket for both families', '::ffff:192.0.2.1', '::ffff:192.0.2.2'],
  ['IPv6 networks next to each other', '2001:db8:0:1::1', '2001:db8:0:2::1'],
  ['IPv6 networks that begin and end alike', '2001:db8::1', '2001:db8:0:1::1'],
  ['clients of a unix socket', 'unix', 'unix'],
];

for (const [who, first, second] of different) {
  test(`${who} have places of their own`, () => {
    const limits = new Limits(onePlace);
    assert.ok(limits.admit(first));
    assert.ok(limits.admit(second));
  });
}

const neighbours: readonly (readonly [who: string, addresses: readonly string[], stranger: string])[] = [
  ['an IPv4 network', ['192.0.2.1', '::ffff:192.0.2.2', '192.0.2.255'], '192.0.3.1'],
  ['an IPv6 site', ['2001:db8:1::1', '2001:db8:1:2::1', '2001:db8:1:ffff::1'], '2001:db8:2::1'],
];

for (const [who, [first = '', second = '', third = ''], stranger] of neighbours) {
  test(`${who} has so many places for all its addresses, and gives back both kinds`, () => {
    const limits = new Limits({ connections: 10, connectionsPerAddress: 1, connectionsPerNetwork: 2 });
    const leave = limits.admit(first);
    assert.ok(leave);
    assert.equal(limits.admit(first), undefined, 'its address has no other');
    assert.ok(limits.admit(second));
    assert.equal(limits.admit(third), undefined, 'its network has no other');
    assert.ok(limits.admit(stranger));
    leave();
    assert.ok(limits.admit(third), 'who was refused for his network holds no place of his address');
  });
}

const bySeveral = { processes: 4, ofUsers: true };
const nobody: Crowds = { addresses: [], networks: [], users: [] };

test('of several processes each tells who has more than a small part of a limit here, and no others', async () => {
  const limits = new Limits({ connections: 100, connectionsPerAddress: 32, sessionsPerUser: 1 }, bySeveral);
  const leave = limits.admit('192.0.2.1');
  assert.ok(limits.admit('192.0.2.2'));
  await limits.admitUser('alice');
  assert.deepEqual(limits.tell(), { addresses: [], networks: [], users: [['alice', 1]] });
  assert.ok(limits.admit('192.0.2.1'));
  assert.deepEqual(limits.tell().addresses, [['192.0.2.1', 2]]);
  leave?.();
  assert.deepEqual(limits.tell().addresses, []);
});

test('who has suddenly many here is to be told of, once for each such part of a limit', () => {
  const limits = new Limits({ connections: 100, connectionsPerAddress: 32 }, bySeveral);
  let called = 0;
  const tell = (): void => {
    called += 1;
    limits.tell();
  };
  limits.shareBy({ tell, look: async () => {} });
  for (let count = 0; count < 8; count += 1) limits.admit('192.0.2.1');
  assert.equal(called, 4);
});

test('what others have counts, of whom it is told, until they tell anew', async () => {
  const limits = new Limits(
    { connections: 9, connectionsPerAddress: 3, connectionsPerNetwork: 4, sessionsPerUser: 2 },
    bySeveral,
  );
  limits.hear({ addresses: [['192.0.2.1', 2]], networks: [['198.51.100', 4]], users: [['alice', 2]] });
  assert.ok(limits.admit('192.0.2.1'));
  assert.equal(limits.admit('192.0.2.1'), undefined);
  assert.equal(limits.admit('198.51.100.7'), undefined);
  assert.equal(await limits.admitUser('alice'), undefined);
  limits.hear(nobody);
  for (const address of ['192.0.2.1', '198.51.100.7']) assert.ok(limits.admit(address));
  assert.ok(await limits.admitUser('alice'));
});

test('nobody is refused for what others had before they have been asked again', async () => {
  const limits = new Limits(
    { connections: 9, connectionsPerAddress: 2, connectionsPerNetwork: 9, sessionsPerUser: 1 },
    bySeveral,
  );
  let others: Crowds = { addresses: [['192.0.2.1', 2]], networks: [], users: [['alice', 1]] };
  limits.hear(others);
  const look = async (): Promise<void> => limits.hear(others);
  limits.shareBy({ tell() {}, look });
  assert.equal(limits.admit('192.0.2.1'), undefined);
  assert.equal(await limits.admitAfterLook('192.0.2.1'), undefined);
  assert.equal(await limits.admitUser('alice'), undefined);
  others = nobody;
  assert.ok(await limits.admitAfterLook('192.0.2.1'));
  assert.ok(await limits.admitUser('alice'));
  assert.ok(limits.admit('192.0.2.1'));
  assert.equal(limits.admitAfterLook('192.0.2.1'), undefined, 'who has that many here is not asked for');
});

test('others are asked for no more than there could be room for, and not for who has too many here', async () => {
  const limits = new Limits(
    { connections: 9, connectionsPerAddress: 2, connectionsPerNetwork: 3 },
    bySeveral,
  );
  const { promise, resolve } = Promise.withResolvers<void>();
  limits.shareBy({ tell() {}, look: () => promise });
  limits.hear({ addresses: [['192.0.2.1', 2]], networks: [['192.0.2', 3]], users: [] });
  const asking = [0, 1, 2].map(() => limits.admitAfterLook('192.0.2.1'));
  assert.equal(asking[2], undefined, 'two may have room, and no third');
  assert.ok(limits.admitAfterLook('192.0.2.2'));
  assert.equal(limits.admitAfterLook('192.0.2.3'), undefined, 'nor a fourth of the network');
  limits.hear(nobody);
  resolve();
  const leaves = await Promise.all(asking.flatMap((asked) => asked ?? []));
  assert.ok(leaves[0] && leaves[1]);
  limits.hear({ addresses: [], networks: [['192.0.2', 3]], users: [] });
  assert.equal(limits.admitAfterLook('192.0.2.1'), undefined, 'the address has too many here');
});

test('what others have told is not believed for ever', (t) => {
  let nowMs = performance.now();
  t.mock.method(performance, 'now', () => nowMs);
  const limits = new Limits({ connections: 9, connectionsPerAddress: 1 }, bySeveral);
  limits.hear({ ...nobody, addresses: [['192.0.2.1', 1]] });
  assert.equal(limits.admit('192.0.2.1'), undefined);
  nowMs += 5001;
  assert.ok(limits.admit('192.0.2.1'));
});

test('one process alone tells nobody anything, and neither do several of users whom somebody else counts', async () => {
  for (const sharing of [undefined, { processes: 4, ofUsers: false }]) {
    const limits = new Limits({ connections: 9, connectionsPerAddress: 9, sessionsPerUser: 1 }, sharing);
    await limits.admitUser('alice');
    assert.equal(await limits.admitUser('alice'), undefined);
    assert.deepEqual(limits.tell(), nobody);
  }
});
