import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { chmod, chown } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { makeCertificate } from '../../core/server/testing/certificates.ts';
import { TlsClient } from '../../core/server/testing/tls-client.ts';
import { childrenOf, titleOf, until } from '../e2e/support/fronts.ts';
import { awkwardMail, mboxOf, onWire, plainMail } from '../e2e/support/mail.ts';
import { needs, run } from '../e2e/support/program.ts';
import { password } from '../e2e/support/site.ts';
import { burglar, frontUser, ServedSite } from './support/served-site.ts';
import { alice, bob } from './support/site.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';
const mail = [...plainMail, ...awkwardMail];
const group = Number(spawnSync('getent', ['group', 'mail'], { encoding: 'utf8' }).stdout.split(':')[2]);

/** A system's account that the password file lets in. */
const system = { name: 'backup', uid: 34, gid: 34, password };
/** Above `minUid`, and yet nobody's mailbox. */
const front = { name: 'fronts', uid: frontUser.uid, gid: frontUser.uid, password };

describe("popper serve with isolation: 'user'", { skip }, () => {
  let served: ServedSite;
  let tlsPort = 0;
  const files = (): Record<string, string> => ({
    shadow: '/etc/shadow',
    passwords: join(served.site.folder, 'passwd'),
    key: join(served.site.folder, 'server.key'),
    'mail of alice': served.site.mboxOf(alice),
    'mail of bob': served.site.mboxOf(bob),
    'state of alice': join(served.site.stateDir, '2001', 'sessions', '00'),
  });

  before(async () => {
    served = await ServedSite.make([alice, bob, system, front]);
    const tls = await makeCertificate(served.site.folder);
    // As Debian has it.
    await chown(served.site.spool, 0, group);
    await chmod(served.site.spool, 0o2775);
    await served.site.deliver(alice, mboxOf(mail));
    await served.deliverForMail(bob, mboxOf(plainMail.slice(0, 1)), group);
    const listen = [
      { host: '127.0.0.1', port: 0 },
      { host: '127.0.0.1', port: 0, tls: true },
    ];
    const plugins = [
      ['auth-passwd', { file: 'passwd' }],
      ['store-mbox', { spool: join(served.site.spool, '{user}'), lockMethods: ['fcntl'] }],
      [burglar, { files: files() }],
    ];
    await served.configure({ tls, listen, plugins });
    const daemon = await served.start();
    const [, second] = daemon.addresses;
    tlsPort = second !== undefined && 'port' in second ? second.port : 0;
  });
  after(async () => {
    assert.equal(await served.end(), 0);
  });

  test('has two users read their mail octet for octet and delete it for good, each by a process that is he', async () => {
    const [one, other] = [await served.logIn(alice), await served.logIn(bob)];
    for (const [index, { name, octets }] of mail.entries())
      assert.ok((await one.askOctets(`RETR ${index + 1}`)).equals(onWire(octets)), name);
    assert.match(await other.ask('STAT'), /^\+OK 1 /);
    await one.ask(`DELE ${mail.length}`);
    await one.quit();
    await other.quit();
    assert.equal(await served.site.mailOf(alice), mboxOf(mail.slice(0, -1)).toString('latin1'));
    const { mode, uid, gid } = statSync(served.site.mboxOf(alice));
    assert.deepEqual([mode & 0o777, uid, gid], [0o600, 2001, 2001]);
    assert.match(await (await served.logIn(alice)).quit(), /^\+OK/);
  });

  test('serves curl, plain and by TLS', needs('curl'), async () => {
    const { port } = served.running.where;
    const words = ['-sSk', '--user', `alice:${password}`];
    for (const url of [`pop3://127.0.0.1:${port}/1`, `pop3s://127.0.0.1:${tlsPort}/1`]) {
      const { stdout } = await run('curl', [...words, url], { home: served.site.folder });
      assert.ok(stdout.equals(onWire(mail[0]?.octets ?? Buffer.alloc(0))), url);
    }
  });

  test('loses nothing of what a client sends in one go with its login, over TLS either', async () => {
    const client = await TlsClient.secured(tlsPort);
    client.socket.write(`USER alice\r\nPASS ${password}\r\nSTAT\r\nRETR 1\r\nNOOP\r\nQUIT\r\n`, 'latin1');
    await client.hears(/\+OK bye\r\n$/);
    assert.match(client.heard, /^\+OK [^]*\+OK \d+ \d+\r\n\+OK[^]*\r\n\.\r\n\+OK[^\r]*\r\n\+OK bye\r\n$/);
    assert.ok(client.heard.includes(onWire(mail[0]?.octets ?? Buffer.alloc(0)).toString('latin1')));
  });

  test('knows in the process of the user what TLS has come to, which the front alone speaks', async () => {
    const { port } = served.running.where;
    const begun = await TlsClient.secured(tlsPort);
    const upgraded = await TlsClient.plain(port);
    await upgraded.startTls({ maxVersion: 'TLSv1.2' });
    for (const [client, local] of [
      [begun, tlsPort],
      [upgraded, port],
    ] as const) {
      await client.ask('USER alice');
      await client.ask(`PASS ${password}`);
      const protocol = client.tls.getProtocol();
      const tls = { protocol, cipher: client.tls.getCipher().standardName };
      const told = { uid: 2001, secure: true, tls, ...addressesOf(client.wire, local) };
      assert.deepEqual(JSON.parse((await client.say('X-LOOK')).slice(4)), told);
      await client.ask('QUIT');
    }
    const plain = await served.logIn(alice);
    const told = { uid: 2001, secure: false, ...addressesOf(plain.socket, port) };
    assert.deepEqual(JSON.parse((await plain.ask('X-LOOK')).slice(4)), told);
    await plain.quit();
  });

  test('has fronts that are their account in every way and in no group, and processes of users that are not in group mail', async () => {
    const client = await served.logIn(bob);
    const fronts = await served.pidsOf(/^popper: front/);
    assert.equal(fronts.length, 2);
    for (const pid of fronts) {
      const { ids, groups, capabilities } = rightsOf(pid);
      assert.deepEqual([ids, groups, capabilities], [[frontUser.uid], '', true]);
    }
    const [worker = 0] = await served.workersOf(bob);
    assert.deepEqual(rightsOf(worker), { ids: [2002], groups: '2002', capabilities: true });
    await client.quit();
  });

  test('lets no process open more than it is there for', async () => {
    for (const user of [alice, bob]) await (await served.logIn(user)).quit();
    const opened = new Map<string, unknown>();
    for (const { msg, role, ids, opened: names } of served.running.records) {
      if (msg === 'a burglary' && Array.isArray(ids)) opened.set(`${String(role)} ${ids[0]}`, names);
    }
    const everything = Object.keys(files()).filter((name) => name !== 'state of alice');
    assert.deepEqual(Object.fromEntries(opened), {
      'auth 0': everything,
      [`front ${frontUser.uid}`]: [],
      // Group mail, which it is in to make locks, opens what delivery agents made; no client and no worker's octet leads to it.
      [`locker ${frontUser.uid}`]: ['mail of bob'],
      // Whether a worker can begin is tried as somebody who has no mail.
      [`worker ${frontUser.uid}`]: [],
      'worker 2001': ['mail of alice'],
      'worker 2002': ['mail of bob'],
    });
  });

  test('lets nobody look into the process that checks passwords, and no user into a front', async () => {
    const client = await served.logIn(alice);
    const [auth = 0] = await served.pidsOf(/^popper: auth/);
    const [one = 0] = await served.pidsOf(/^popper: front/);
    const fronts = { uid: frontUser.uid, gid: frontUser.uid };
    const ofAlice = { uid: alice.uid, gid: alice.gid };
    assert.equal(looks(auth, { uid: 0, gid: 0 }), 0, 'root may');
    for (const [pid, as] of [
      [auth, fronts],
      [auth, ofAlice],
      [one, ofAlice],
    ] as const)
      assert.notEqual(looks(pid, as), 0);
    await client.quit();
  });

  test('refuses who is below minUid, and who would be a front, though the password is right', async () => {
    for (const user of [system, front]) {
      await served.site.deliver(user, mboxOf(plainMail));
      const { client, answer } = await served.tryToLogIn(user);
      assert.match(answer, /^-ERR/);
      client.destroy();
      assert.deepEqual(await served.workersOf(user).then((pids) => pids.length), user === front ? 2 : 0);
    }
  });

  test('tells an operator who is there and at what, ends whom he wants gone, and says whose maildrop is free', async () => {
    const client = await served.logIn(alice);
    await client.ask('DELE 1');
    client.send('RETR 2\r\n');
    await client.body();
    const [entry] = JSON.parse(`[${(await served.ask('who', '--json')).trim().split('\n').join(',')}]`);
    assert.deepEqual(
      [entry.user, entry.state, entry.marked.messages, entry.retrieved.messages],
      ['alice', 'TRANSACTION', 1, 1],
    );
    assert.equal(entry.command, undefined);
    assert.match(
      await served.ask('status'),
      /0 in AUTHORIZATION, 1 in TRANSACTION[^]*users +\d+ served, \d+ spare/,
    );
    assert.match(await served.ask('unlock', 'alice'), /the maildrop of alice is free/);
    assert.match((await client.rest()).toString(), /^-ERR \[SYS\/TEMP\] the operator/);
    const again = await served.logIn(alice);
    assert.match(await served.ask('kick', 'alice'), /ended/);
    assert.match((await again.rest()).toString(), /^-ERR \[SYS\/TEMP\] the operator/);
  });

  test('opens no debugger to a user who signals the process of his own session', async () => {
    const client = await served.logIn(bob);
    const [worker = 0] = await served.workersOf(bob);
    const { stderr } = spawnSync('kill', ['-USR1', String(worker)], {
      uid: 2002,
      gid: 2002,
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    await delay(200);
    assert.doesNotMatch(served.running.said, /[Dd]ebugger/);
    client.destroy();
  });

  test('opens no debugger in any of its processes, whoever signals them, and loses none', async () => {
    const client = await served.logIn(bob);
    await until(async () => (await served.pidsOf(/^popper: spare/)).length > 0);
    const pids = [served.running.pid, ...(await childrenOf(served.running))];
    const titles = await Promise.all(pids.map(titleOf));
    for (const one of ['master', 'front 1', 'front 2', 'auth', 'spare', 'bob'])
      assert.match(titles.join('\n'), new RegExp(`^popper: ${one}`, 'm'));
    for (const pid of pids) process.kill(pid, 'SIGUSR1');
    await delay(500);
    assert.doesNotMatch(served.running.said, /[Dd]ebugger/);
    await client.quit();
    const left = await childrenOf(served.running);
    // Others may have ended of themselves: nobody is served by them.
    for (const [index, pid] of pids.slice(1).entries())
      if (titles[index + 1]?.startsWith('popper: uid') !== true)
        assert.ok(left.includes(pid), titles[index + 1]);
  });

  test('reports each session once, from its front, with what it came to in another process', () => {
    const ends = served.running.records.filter(({ msg }) => msg === 'told of an end').map(({ id }) => id);
    assert.equal(new Set(ends).size, ends.length);
    const told = served.running.records.filter(({ msg }) => msg === 'session');
    assert.equal(told.length, ends.length);
    assert.ok(
      told.some(({ user, deleted }) => user === 'alice' && JSON.stringify(deleted).includes('"messages":1')),
    );
  });

  test('serves a renewed certificate, though no front may read its key', async () => {
    const first = await fingerprint(tlsPort);
    await makeCertificate(served.site.folder, { host: 'renewed' });
    await until(async () => (await fingerprint(tlsPort)) !== first);
  });
});

/** As the server sees the two ends of a connection. */
const addressesOf = ({ localPort }: Socket, port: number) => ({
  peer: { address: '127.0.0.1', port: localPort },
  local: { address: '127.0.0.1', port },
});

async function fingerprint(port: number): Promise<string | undefined> {
  const client = await TlsClient.secured(port);
  const print = client.tls.getPeerX509Certificate()?.fingerprint256;
  client.destroy();
  return print;
}

function rightsOf(pid: number): { ids: number[]; groups: string; capabilities: boolean } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const field = (name: string): string =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim() ?? '';
  return {
    ids: [...new Set(field('Uid').split('\t').map(Number))],
    groups: field('Groups'),
    capabilities: ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'].every((name) => /^0+$/.test(field(name))),
  };
}

/** How an attempt to see what a process has in its memory ends; whoever may see where that is may read it. */
const looks = (pid: number, as: { readonly uid: number; readonly gid: number }): number | null =>
  spawnSync('cat', [`/proc/${pid}/maps`], { ...as, cwd: '/' }).status;
