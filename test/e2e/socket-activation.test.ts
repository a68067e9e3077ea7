import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { makeCertificate } from '../../core/server/testing/certificates.ts';
import { TlsClient } from '../../core/server/testing/tls-client.ts';
import { Unit } from '../systemd/unit.ts';
import { childrenOf, greet, greetAll, pluginsWith, until } from './support/fronts.ts';
import { plainMail, putMail } from './support/mail.ts';
import { ConnectionLost, Pop3Client, type Where } from './support/pop3-client.ts';
import { needs, run } from './support/program.ts';
import { freePort } from './support/real-inetd.ts';
import { logIn, makeSite, type Site } from './support/site.ts';
import { popper } from './support/small-inetd.ts';

const options = needs('systemd');
const host = '127.0.0.1';

/** As systemd does it, which need not run: opens sockets, and becomes popper when the first client has come. */
const activatedAt = (addresses: readonly string[], names: readonly string[]): readonly string[] => [
  'systemd-socket-activate',
  ...addresses.map((address) => `--listen=${address}`),
  ...(names.length > 0 ? [`--fdname=${names.join(':')}`] : []),
];

/** A site whose configuration serves what it inherits. */
async function siteOf(t: TestContext, config: object): Promise<Site> {
  const site = await makeSite(t, { config: { plugins: pluginsWith({}), ...config } });
  await putMail(site.mboxOf('alice'), plainMail);
  return site;
}

/** The first client, who comes when nobody serves yet, and has not said anything. */
async function firstClient(where: Where): Promise<Pop3Client> {
  for (;;) {
    try {
      return await Pop3Client.connect(where);
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      await delay(20);
    }
  }
}

test('a client who came before the daemon was started is served by it, alone', options, async (t) => {
  const site = await siteOf(t, { listen: [{ inherited: 'pop3' }], fronts: 1 });
  const port = await freePort();
  const starting = site.start(0, activatedAt([`${host}:${port}`], ['pop3']));
  const client = await firstClient({ host, port });
  assert.match((await client.line()) ?? '', /^\+OK/);
  const daemon = await starting;
  assert.deepEqual(daemon.addresses, [{ host, port }]);
  await (await logIn({ host, port })).quit();
  await client.quit();
  assert.equal(await daemon.stop(), 0);
});

test(
  'several fronts accept from one inherited socket, and no child process hears of it',
  options,
  async (t) => {
    const site = await siteOf(t, { listen: [{ inherited: 'pop3' }], fronts: 2 });
    const port = await freePort();
    const where = { host, port };
    const starting = site.start(0, activatedAt([`${host}:${port}`], ['pop3']));
    (await firstClient(where)).destroy();
    const daemon = await starting;
    assert.deepEqual(daemon.addresses, [where]);
    const greeted = await greetAll(where);
    for (const pid of await childrenOf(daemon)) {
      assert.doesNotMatch(await readFile(`/proc/${pid}/environ`, 'latin1'), /LISTEN_/);
      assert.ok((await listeningIn(pid)) <= 1, 'a child has the socket once');
    }
    for (const { client } of greeted) await client.quit();
  },
);

/** How many sockets a process has open that are bound to a port and connected to nobody. */
async function listeningIn(pid: number): Promise<number> {
  const names = await readdir(`/proc/${pid}/fd`);
  const open = await Promise.all(
    names.map((name) => readlink(join(`/proc/${pid}/fd`, name)).catch(() => '')),
  );
  const tcp = await readFile('/proc/net/tcp', 'latin1');
  return open.filter((name) => {
    const [, inode = '-'] = /^socket:\[(\d+)\]$/.exec(name) ?? [];
    // State 0A is LISTEN.
    return new RegExp(`^ *\\d+: \\S+ \\S+ 0A (?:\\S+ +){5}${inode} `, 'm').test(tcp);
  }).length;
}

test(
  'a reload keeps an inherited socket, also by way of a configuration that does not name it',
  options,
  async (t) => {
    const site = await siteOf(t, { listen: [{ inherited: 'pop3' }], fronts: 2 });
    const port = await freePort();
    const where = { host, port };
    const starting = site.start(0, activatedAt([`${host}:${port}`], ['pop3']));
    (await firstClient(where)).destroy();
    const daemon = await starting;
    const good = await readFile(site.configFile, 'utf8');
    const elsewhere = JSON.stringify({ ...JSON.parse(good), listen: [{ host, port: 0 }] });
    for (const [generation, config] of [good, elsewhere, good].entries()) {
      await writeFile(site.configFile, config);
      daemon.signal('SIGHUP');
      await daemon.logged(({ msg, generation: number }) => msg === 'listening' && number === generation + 2);
    }
    const { client } = await greet(where);
    await client.quit();
    await writeFile(site.configFile, good.replace('"pop3"', '"imap"'));
    daemon.signal('SIGHUP');
    const failed = await daemon.logged(({ msg }) => msg === 'the reload failed, and all stays as it was');
    assert.match(
      JSON.stringify(failed),
      /no socket \\"imap\\", for popper was started with \\"pop3\\" and no other/,
    );
    await (await logIn(where)).quit();
  },
);

test('two sockets of one name are served in their order, and one of them with TLS', options, async (t) => {
  const listen = [{ inherited: 'pop3' }, { inherited: 'pop3', tls: true }];
  const site = await siteOf(t, { listen, fronts: 1, tls: { certificate: 'server.crt', key: 'server.key' } });
  await makeCertificate(site.folder);
  const [port, tlsPort] = [await freePort(), await freePort()];
  const addresses = [`${host}:${port}`, `${host}:${tlsPort}`];
  const starting = site.start(0, activatedAt(addresses, ['pop3', 'pop3']));
  const client = await firstClient({ host, port });
  assert.match((await client.line()) ?? '', /^\+OK/);
  await starting;
  const secured = await TlsClient.secured(tlsPort);
  assert.match(await secured.say('QUIT'), /^\+OK/);
});

test('clients of an inherited unix socket are of this machine', options, async (t) => {
  const site = await siteOf(t, { listen: [{ inherited: 'local' }], fronts: 2 });
  const path = join(site.folder, 'socket');
  const starting = site.start(0, activatedAt([path], ['local']));
  (await firstClient({ path })).destroy();
  const daemon = await starting;
  await (await logIn({ path })).quit();
  const { address } = await daemon.logged(({ msg, user }) => msg === 'session' && user === 'alice');
  assert.equal(address, 'unix');
});

test('an operator is told of a socket that nobody serves', options, async (t) => {
  const site = await siteOf(t, { listen: [{ inherited: 'pop3' }], fronts: 1 });
  const [port, other] = [await freePort(), await freePort()];
  const starting = site.start(0, activatedAt([`${host}:${port}`, `${host}:${other}`], ['pop3', 'web']));
  (await firstClient({ host, port })).destroy();
  const daemon = await starting;
  await until(() =>
    daemon.records.some(({ msg }) => msg.startsWith('the socket "web" is open and not served')),
  );
});

for (const [what, names, reason] of [
  ['has another name', ['web'], /no socket "pop3", for popper was started with "web" and no other/],
  ['has none', [], /no socket "pop3", for popper was started with ".+" and no other/],
] as const) {
  test(`popper does not start where the socket ${what}, and says which it looked for`, options, async (t) => {
    const site = await siteOf(t, { listen: [{ inherited: 'pop3' }], fronts: 2 });
    const port = await freePort();
    const starting = site.start(0, activatedAt([`${host}:${port}`], names));
    starting.catch(() => {});
    (await firstClient({ host, port })).destroy();
    await assert.rejects(starting, reason);
  });
}

test('popper started by hand says that nobody gave it the socket; popper check has nothing against it', async (t) => {
  const site = await siteOf(t, { listen: [{ inherited: 'pop3' }], fronts: 2 });
  await assert.rejects(site.start(), /no socket "pop3", for popper was started with no open socket/);
  const check = [popper, 'check', '-c', site.configFile];
  const { stdout } = await run(process.execPath, check, { home: site.folder });
  assert.doesNotMatch(stdout.toString(), /inherited|problem in/);
});

for (const fronts of [1, 2]) {
  test(`a socket for datagrams is none to serve on, with fronts: ${fronts}`, options, async (t) => {
    const site = await siteOf(t, { listen: [{ inherited: 'pop3' }], fronts });
    const port = await freePort();
    const launcher = [...activatedAt([`${host}:${port}`], ['pop3']), '--datagram'];
    const starting = site.start(0, launcher);
    const rejected = assert.rejects(starting, /cannot start: cannot listen on pop3: /);
    const sender = createSocket('udp4');
    t.after(() => sender.close());
    const knocking = setInterval(() => sender.send('x', port, host), 50);
    await rejected.finally(() => clearInterval(knocking));
  });
}

test('the units for it have no mistakes, and name what the guide says', options, async (t) => {
  const { folder } = await makeSite(t);
  const names = ['popper.socket', 'popper.service', 'popper@.service'];
  for (const name of names) {
    const { text } = new Unit(name);
    await writeFile(join(folder, name), text.replaceAll(/\/opt\/popper\S+/g, '/bin/true'));
  }
  const files = ['popper.socket', 'popper@.service'].map((name) => join(folder, name));
  const { stderr } = await run('systemd-analyze', ['verify', '--man=no', ...files], { home: folder });
  const ofOurs = stderr.split('\n').filter((line) => /popper(?:@|\.socket)/.test(line));
  assert.deepEqual(ofOurs, []);
  assert.deepEqual(new Unit('popper.socket').values('FileDescriptorName'), ['pop3']);
  assert.deepEqual(new Unit('popper@.service').values('StandardInput'), ['socket']);
});
