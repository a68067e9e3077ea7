import assert from 'node:assert/strict';
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { memoryHost, memoryMaildrop, NameServer, TestServer } from 'popperd/testing';

import rpop from './index.ts';
import { siteOf, trusted, uid } from './testing/site.ts';

const denied = '-ERR Permission denied.';
const everybody = '192.0.2.7\n192.0.2.7 ann\n';

for (const port of [0, 110, 511, 1024, 40_000]) {
  test(`nobody gets in from port ${port}, which anybody may have, and the log has the line that is looked for`, async (t) => {
    const site = await siteOf(t, everybody, { peer: { ...trusted, port } });
    const { answer, log } = await site.rpop('mrose', 'mrose');
    assert.equal(answer, denied);
    assert.match(log, /RPOP command from 192\.0\.2\.7 \(192\.0\.2\.7\) on illegal port\./);
    assert.deepEqual(site.opened, []);
  });
}

test('a client cannot fill the log, nor keep a name server busy, by asking again and again', async (t) => {
  const dns = await NameServer.start({});
  t.after(() => dns.stop());
  const options = { servers: [dns.address], timeoutMs: 5000 };
  const site = await siteOf(t, everybody, { options, peer: { ...trusted, port: 2000 } });
  const ask = ['USER mrose', 'RPOP mrose'];
  for (const clients of [1, 2]) {
    const said = await site.server.converse(Array.from({ length: 20 }, () => ask).flat());
    assert.equal(said.filter((line) => line === denied).length, 20);
    const logged = site.server.log.filter(({ message }) => message.includes('illegal port'));
    assert.deepEqual([logged.length, dns.asked.length], [clients, clients]);
  }
  const elsewhere = await siteOf(t, everybody, { options: { from: ['198.51.100.0/24'] } });
  await elsewhere.server.converse([...ask, ...ask]);
  const logged = elsewhere.server.log.filter(({ message }) => message.includes('not trusted'));
  assert.equal(logged.length, 1);
});

test('nobody gets in from a network that is not trusted, and no name server is asked about him', async (t) => {
  const dns = await NameServer.start({});
  t.after(() => dns.stop());
  const options = { from: ['198.51.100.0/24'], servers: [dns.address] };
  const site = await siteOf(t, everybody, { options });
  const { answer, log } = await site.rpop('mrose', 'mrose');
  assert.equal(answer, denied);
  assert.match(log, /RPOP from a network that is not trusted/);
  assert.deepEqual([site.opened, dns.asked], [[], []]);
});

for (const [who, user, clientUser, cause] of [
  ['a user who is not there', 'nobody', 'nobody', /no such user/],
  ['root', 'root', 'root', /uid 0 is below minUid, 11/],
  ['a user without a home', 'homeless', 'homeless', /ENOENT/],
  ['a user whose line cannot be used', 'broken', 'broken', /no such user/],
  ['one whom the file does not name', 'mrose', 'eve', /\.rhosts does not let in eve from 192\.0\.2\.7/],
] as const) {
  test(`${who} is refused as everybody else is, and the log has the cause`, async (t) => {
    const site = await siteOf(t, everybody);
    const { answer, log } = await site.rpop(user, clientUser);
    assert.equal(answer, '-ERR [AUTH] Permission denied.');
    assert.match(log, cause);
    assert.deepEqual(site.opened, []);
  });
}

test('a .rhosts file that others may write to lets nobody in', async (t) => {
  const site = await siteOf(t, everybody);
  await chmod(join(site.folder, 'mrose/.rhosts'), 0o666);
  const { answer, log } = await site.rpop('mrose', 'mrose');
  assert.equal(answer, '-ERR [AUTH] Permission denied.');
  assert.match(log, /may be written to by others/);
});

test('a client is told to come back when the users cannot be looked up', async (t) => {
  const site = await siteOf(t, everybody);
  await rm(join(site.folder, 'passwd'));
  const { answer, log } = await site.rpop('mrose', 'mrose');
  assert.match(answer, /^-ERR \[SYS\/TEMP\]/);
  assert.match(log, /authenticate failed/);
});

test('RPOP takes the place of PASS: without USER before it there is nobody to be', async (t) => {
  const site = await siteOf(t, everybody);
  const lines = ['RPOP mrose', 'USER mrose', 'NOOP', 'RPOP mrose', 'USER mrose', 'RPOP', 'RPOP a b', 'QUIT'];
  const said = await site.server.converse(lines);
  assert.deepEqual(
    [said[1], said[4], said[6], said[7]],
    ['-ERR USER first', '-ERR USER first', '-ERR usage: RPOP user', '-ERR usage: RPOP user'],
  );
  assert.deepEqual(site.opened, []);
});

test('a password still opens, and one that RPOP made up does not', async (t) => {
  const site = await siteOf(t, '');
  assert.match((await site.rpop('mrose', 'mrose')).answer, /^-ERR/);
  const said = await site.server.converse(['USER mrose', 'PASS secret', 'QUIT']);
  assert.match(said[2] ?? '', /^\+OK maildrop/);
});

test('a user of a trusted machine gets in without a password, with the ids and home that the system has for him', async (t) => {
  const site = await siteOf(t, '192.0.2.7 ann\n');
  const { answer } = await site.rpop('mrose', 'ann');
  assert.match(answer, /^\+OK maildrop has 1 message/);
  assert.deepEqual(site.opened, [{ user: 'mrose', uid, gid: 1001, home: join(site.folder, 'mrose') }]);
});

test('a machine is known by the name that leads back to it, and the log calls it by that', async (t) => {
  const zone = {
    '7.2.0.192.in-addr.arpa': { PTR: ['other.example.org', 'ws.example.org'] },
    'other.example.org': { A: ['198.51.100.1'] },
    'ws.example.org': { A: ['192.0.2.7'] },
  };
  const dns = await NameServer.start(zone);
  t.after(() => dns.stop());
  const options = { servers: [dns.address], timeoutMs: 5000 };
  const site = await siteOf(t, 'ws.example.org\n', { options });
  assert.match((await site.rpop('mrose', 'mrose')).answer, /^\+OK/);
  const elsewhere = await siteOf(t, '', { options, peer: { ...trusted, port: 2000 } });
  const { log } = await elsewhere.rpop('mrose', 'mrose');
  assert.match(log, /RPOP command from ws\.example\.org \(192\.0\.2\.7\) on illegal port\./);
});

test('a client cannot take the name of a machine that has another address', async (t) => {
  const zone = {
    '7.2.0.192.in-addr.arpa': { PTR: ['ws.example.org', 'gone.example.org'] },
    'ws.example.org': { A: ['198.51.100.1'] },
  };
  const dns = await NameServer.start(zone);
  t.after(() => dns.stop());
  const options = { servers: [dns.address], timeoutMs: 5000 };
  const site = await siteOf(t, 'ws.example.org\ngone.example.org\n', { options });
  assert.equal((await site.rpop('mrose', 'mrose')).answer, '-ERR [AUTH] Permission denied.');
  assert.deepEqual(site.opened, []);
});

test('a client of a TestServer, which has a port of its own, is refused whatever the file says', async (t) => {
  const server = new TestServer([rpop({ from: ['0.0.0.0/0'] }), memoryHost(memoryMaildrop([]))]);
  t.after(() => server.stop());
  const said = await server.converse(['USER mrose', 'RPOP mrose', 'CAPA', 'QUIT']);
  assert.equal(said[2], denied);
  assert.ok(!said.includes('RPOP'));
});

test('an operator who checks is told what it means', async (t) => {
  const server = new TestServer([rpop({ from: ['192.0.2.0/24'] })]);
  t.after(() => server.stop());
  const [finding] = await server.check();
  assert.equal(finding?.kind, 'warning');
  assert.match(finding?.what ?? '', /without a password whoever has a machine in 192\.0\.2\.0\/24/);
});

test('an operator who checks hears that it does not go together with isolation by user, as the daemon would not start', async (t) => {
  const server = new TestServer([rpop({ from: ['192.0.2.0/24'] })], { settings: { isolation: 'user' } });
  t.after(() => server.stop());
  const [finding] = await server.check();
  assert.deepEqual([finding?.kind, finding?.what], ['problem', "RPOP works with isolation: 'none' only"]);
});

for (const [options, message] of [
  [{}, /expected a list of networks/],
  [{ from: [] }, /expected one network or more/],
  [{ from: ['lab.example.org'] }, /expected a network or an address/],
  [{ from: ['192.0.2.0/33'] }, /expected a network or an address/],
  [{ from: ['fe80::1%eth0'] }, /expected a network or an address/],
  [{ from: ['::/0'], minUid: 0 }, /root does not get in/],
  [{ from: ['::/0'], servers: ['ns.example.org'] }, /expected an address of a name server/],
] as const) {
  test(`options that say ${JSON.stringify(options)} are refused with what was expected`, () => {
    const [problem] = rpop(JSON.parse(JSON.stringify(options))).problems;
    assert.match(problem?.message ?? 'none', message);
  });
}
