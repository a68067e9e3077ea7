import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { Finding } from './finding.ts';
import { KnownHosts } from './known-hosts.ts';

const agrees: Finding = { kind: 'agrees', name: 'client.example.org', isTemporary: false };
const failed: Finding = { kind: 'no name', errorNumber: 2, isTemporary: true };

/** Hosts that all have this finding, and the addresses that were asked for. */
function hostsWith(finding: Finding | Promise<Finding>, { cacheMs = 60_000, cacheAddresses = 100 } = {}) {
  const asked: string[] = [];
  const lookUp = async (address: string): Promise<Finding> => {
    asked.push(address);
    return finding;
  };
  return { asked, hosts: new KnownHosts({ cacheMs, cacheAddresses, lookUp }) };
}

test('a client that connects again and again is looked up once, also while the answer is awaited', async () => {
  const { asked, hosts } = hostsWith(delay(10, agrees));
  const found = await Promise.all([hosts.find('192.0.2.1'), hosts.find('192.0.2.1')]);
  assert.deepEqual([...found, await hosts.find('192.0.2.1')], [agrees, agrees, agrees]);
  assert.deepEqual(asked, ['192.0.2.1']);
});

test('what was found is asked again when it is old, or when newer addresses have taken its place', async () => {
  const old = hostsWith(agrees, { cacheMs: 0 });
  await old.hosts.find('192.0.2.1');
  await old.hosts.find('192.0.2.1');
  assert.equal(old.asked.length, 2);
  const full = hostsWith(agrees, { cacheAddresses: 2 });
  for (const address of ['a', 'b', 'c', 'b', 'a']) await full.hosts.find(address);
  assert.deepEqual(full.asked, ['a', 'b', 'c', 'a']);
});

test('a failure of the name servers is remembered as well, so that a crowd does not ask them all at once', async () => {
  const { asked, hosts } = hostsWith(failed);
  assert.deepEqual([await hosts.find('192.0.2.1'), await hosts.find('192.0.2.1')], [failed, failed]);
  assert.equal(asked.length, 1);
});

test('a crowd of strangers does not pile up lookups: those above the limit are not looked up', async () => {
  const answer = Promise.withResolvers<Finding>();
  const { asked, hosts } = hostsWith(answer.promise);
  const found = Array.from({ length: 150 }, (_, index) => hosts.find(`192.0.2.${index}`));
  answer.resolve(agrees);
  const all = await Promise.all(found);
  assert.equal(asked.length, 100);
  assert.equal(all.filter((finding) => finding === undefined).length, 50);
});

test('nothing is found any more when the daemon has stopped', async () => {
  const answer = Promise.withResolvers<Finding>();
  const { hosts } = hostsWith(answer.promise);
  const found = hosts.find('192.0.2.1');
  hosts.close();
  answer.resolve(agrees);
  assert.equal(await found, undefined);
  assert.equal(await hosts.find('192.0.2.2'), undefined);
});
