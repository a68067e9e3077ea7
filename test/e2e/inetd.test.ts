import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { makeCertificate } from '../../core/server/testing/certificates.ts';
import { TlsClient } from '../../core/server/testing/tls-client.ts';
import { reachOf } from '../architecture/reach.ts';
import { titleOf, until } from './support/fronts.ts';
import { awkwardMail, mboxOf, onWire, plainMail, putMail } from './support/mail.ts';
import { Pop3Client } from './support/pop3-client.ts';
import { needs, run } from './support/program.ts';
import { freePort, startActivation, startInetd } from './support/real-inetd.ts';
import { logIn, makeSite, password, readMbox, type Site } from './support/site.ts';
import { popper, SmallInetd, type SmallInetdOptions } from './support/small-inetd.ts';

const mail = [...plainMail, ...awkwardMail];
const logFile = join(import.meta.dirname, 'support/log-file.ts');
const refusal = '-ERR [SYS/TEMP] this server cannot serve anybody now, try again later\r\n';

/** A site with alice's mail, and its configuration, which nobody serves yet. */
async function inetdSite(t: TestContext, config: object = {}): Promise<Site> {
  const site = await makeSite(t);
  await putMail(site.mboxOf('alice'), mail);
  const whole = {
    listen: [{ host: '127.0.0.1', port: 0 }],
    stateDir: 'state',
    log: { format: 'json', level: 'debug' },
    fronts: 1,
    plugins: [
      ['auth-passwd', { file: 'passwd' }],
      ['store-mbox', { spool: join(site.folder, 'spool/{user}') }],
      [logFile, { file: join(site.folder, 'log') }],
    ],
    ...config,
  };
  await writeFile(site.configFile, JSON.stringify(whole), { mode: 0o600 });
  return site;
}

const inetdOf = (t: TestContext, site: Site, options: Partial<SmallInetdOptions> = {}): Promise<SmallInetd> =>
  SmallInetd.start(t, { ...options, args: ['-c', site.configFile, ...(options.args ?? [])] });

/** What a client hears that says nothing. */
async function heardFrom(inetd: SmallInetd): Promise<string> {
  return (await (await Pop3Client.connect(inetd.where)).rest()).toString('latin1');
}

test('a client who leaves without QUIT loses no mail, and the process ends', async (t) => {
  const site = await inetdSite(t);
  const inetd = await inetdOf(t, site);
  const client = await logIn(inetd.where);
  await client.ask('DELE 1');
  client.destroy();
  assert.equal(await (await inetd.last()).exited, 0);
  assert.ok((await readMbox(site)).equals(mboxOf(mail)));
});

test('a client who never says a word is given up, and the process ends', async (t) => {
  const inetd = await inetdOf(t, await inetdSite(t, { loginTimeoutMs: 200 }));
  assert.match(await heardFrom(inetd), /^\+OK [^\r\n]*\r\n$/);
  assert.equal(await (await inetd.last()).exited, 0);
});

test('ps tells whom the process serves, and with what', async (t) => {
  const inetd = await inetdOf(t, await inetdSite(t));
  const client = await logIn(inetd.where);
  const { pid = 0 } = (await inetd.last()).process;
  await until(async () => /^popper: alice 127\.0\.0\.1( PASS)?$/.test(await titleOf(pid)));
  await client.quit();
});

test('a client who breaks the connection before anything is said keeps no process', async (t) => {
  const inetd = await inetdOf(t, await inetdSite(t));
  (await Pop3Client.connect(inetd.where)).socket.resetAndDestroy();
  assert.equal(await (await inetd.last()).exited, 0);
});

test('a client reads every message octet for octet and deletes for good, and hears nothing of the log', async (t) => {
  const site = await inetdSite(t);
  const inetd = await inetdOf(t, site);
  const client = await logIn(inetd.where);
  for (const [index, { name, octets }] of mail.entries())
    assert.ok((await client.askOctets(`RETR ${index + 1}`)).equals(onWire(octets)), name);
  await client.ask(`DELE ${mail.length}`);
  client.send('QUIT\r\n');
  assert.match((await client.rest()).toString(), /^\+OK [^\r\n]*\r\n$/);
  assert.equal(await (await inetd.last()).exited, 0);
  assert.ok((await readMbox(site)).equals(mboxOf(mail.slice(0, -1))));
});

test('the log goes to standard error where that is not the client, and to plugins in any case', async (t) => {
  const site = await inetdSite(t);
  const session = /"address":"127\.0\.0\.1".*"user":"alice".*"ending":"quit"/;
  for (const errors of ['operator', 'client'] as const) {
    const inetd = await inetdOf(t, site, { errors });
    await (await logIn(inetd.where)).quit();
    const { exited, said } = await inetd.last();
    assert.equal(await exited, 0);
    assert.match(
      errors === 'client' ? await readFile(join(site.folder, 'log'), 'utf8') : await said,
      session,
    );
  }
});

for (const [what, config, code] of [
  ['a mistake in it', { listen: 'everywhere' }, 1],
  [
    'a plugin that does not start',
    { plugins: [[join(import.meta.dirname, 'support/saboteur.ts'), { broken: 'no' }]] },
    1,
  ],
  ['a folder for state that is none', { stateDir: 'passwd' }, 1],
] as const) {
  test(`where the configuration has ${what}, the client hears one line, and the operator alone hears why`, async (t) => {
    const site = await inetdSite(t, config);
    for (const errors of ['client', 'operator'] as const) {
      const inetd = await inetdOf(t, site, { errors });
      assert.equal(await heardFrom(inetd), refusal);
      const { exited, said } = await inetd.last();
      assert.equal(await exited, code);
      if (errors === 'operator') assert.match(await said, /popper: cannot start: |popper\.config\.json/);
    }
  });
}

for (const [args, code, reason] of [
  [['-c', '/nonexistent.json'], 2, /no such file/],
  [['--outetd'], 1, /--inetd goes with serve, and not with --outetd/],
  [['check'], 1, /--inetd goes with serve, and not with check/],
  [['--tls'], 1, /--tls: there is no certificate/],
] as const) {
  test(`a line in inetd.conf that says ${args.join(' ')} lets nobody in, and ends with ${code}`, async (t) => {
    const site = await inetdSite(t);
    const inetd = await SmallInetd.start(t, { args: ['-c', site.configFile, ...args], errors: 'operator' });
    // Words are noise to one who waits for a handshake.
    assert.equal(await heardFrom(inetd), args[0] === '--tls' ? '' : refusal);
    const { exited, said } = await inetd.last();
    assert.equal(await exited, code);
    assert.match(await said, reason);
  });
}

test('TLS is there by STLS, and from the first octet on where the line says --tls', async (t) => {
  const site = await inetdSite(t);
  await inetdTls(site);
  const plain = await inetdOf(t, site);
  const client = await TlsClient.plain(plain.where.port);
  assert.match(await client.say('STLS'), /^\+OK/);
  await client.handshake();
  assert.match(await client.say('CAPA'), /^\+OK/);
  const implicit = await inetdOf(t, site, { args: ['--tls'] });
  const secured = await TlsClient.secured(implicit.where.port);
  assert.match(await secured.say('USER alice'), /^\+OK/);
  assert.match(await secured.say(`PASS ${password}`), /^\+OK/);
  assert.match(await secured.say('QUIT'), /^\+OK/);
  assert.equal(await (await implicit.last()).exited, 0);
});

async function inetdTls(site: Site): Promise<void> {
  const tls = await makeCertificate(site.folder);
  const config: unknown = JSON.parse(await readFile(site.configFile, 'utf8'));
  await writeFile(site.configFile, JSON.stringify({ ...Object(config), tls }));
}

test('a user has one session, be it by inetd or by a daemon over the same state', async (t) => {
  const site = await inetdSite(t);
  const inetd = await inetdOf(t, site);
  const first = await logIn(inetd.where);
  const second = await Pop3Client.connect(inetd.where);
  await second.line();
  await second.ask('USER alice');
  assert.match(await second.say(`PASS ${password}`), /^-ERR \[IN-USE\]/);
  const third = await Pop3Client.connect((await site.start()).where);
  await third.line();
  await third.ask('USER alice');
  assert.match(await third.say(`PASS ${password}`), /^-ERR \[IN-USE\]/);
  await first.quit();
});

test('a signal ends a session as a stop does: the client is told, and nothing was deleted', async (t) => {
  const site = await inetdSite(t);
  const inetd = await inetdOf(t, site);
  const client = await logIn(inetd.where);
  await client.ask('DELE 1');
  const { process: child, exited } = await inetd.last();
  child.kill('SIGTERM');
  assert.match(
    (await client.rest()).toString(),
    /^-ERR \[SYS\/TEMP\] the server is being stopped, nothing was deleted/,
  );
  assert.equal(await exited, 0);
  assert.ok((await readMbox(site)).equals(mboxOf(mail)));
});

test('a script talks to popper by pipes, and from a file to a file', async (t) => {
  const site = await inetdSite(t);
  const input = ['USER alice', `PASS ${password}`, 'RETR 1', 'DELE 1', 'QUIT', ''].join('\r\n');
  const expected = onWire(mail[0]?.octets ?? Buffer.alloc(0));
  await writeFile(join(site.folder, 'input'), input);
  for (const shell of [
    'cat input | "$0" "$@" | cat',
    '"$0" "$@" < input',
    '"$0" "$@" < input > out; cat out',
  ]) {
    await putMail(site.mboxOf('alice'), mail);
    const args = ['-c', shell, process.execPath, popper, '--inetd', '-c', site.configFile];
    const { stdout, stderr } = await run('sh', args, { home: site.folder });
    assert.ok(stdout.includes(expected), stdout.toString());
    assert.match(stdout.toString(), /\r\n\+OK bye\r\n$/);
    assert.match(stderr, /"address":"pipe","user":"alice","ending":"quit"/);
    assert.ok((await readMbox(site)).equals(mboxOf(mail.slice(1))), shell);
  }
});

test('by pipes too, the log is nothing for who reads the replies, and one who stops reading ends the session', async (t) => {
  const site = await inetdSite(t);
  const line = (shell: string) => ['-c', shell, process.execPath, popper, '--inetd', '-c', site.configFile];
  const { stdout } = await run('sh', line('echo QUIT | "$0" "$@" 2>&1 | cat'), { home: site.folder });
  assert.match(stdout.toString(), /^\+OK [^\r\n]*\r\n\+OK [^\r\n]*\r\n$/);
  const input = `printf 'USER alice\\r\\nPASS ${password}\\r\\n'; yes "$(printf 'NOOP\\r')"`;
  const { stderr } = await run('sh', line(`{ ${input}; } | "$0" "$@" | head -n 3 >/dev/null`), {
    home: site.folder,
  });
  assert.match(stderr, /"user":"alice","ending":"disconnected"/);
});

test('curl fetches a message from popper under openbsd-inetd', needs('openbsd-inetd', 'curl'), async (t) => {
  const site = await inetdSite(t);
  const { port } = await startInetd(t, site);
  const args = ['--silent', '--user', `alice:${password}`, `pop3://127.0.0.1:${port}/1`];
  const { stdout } = await run('curl', args, { home: site.folder });
  assert.ok(stdout.equals(onWire(mail[0]?.octets ?? Buffer.alloc(0))));
});

test("systemd's way of inetd, a service for each connection, is the same", needs('systemd'), async (t) => {
  const site = await inetdSite(t);
  const where = await startActivation(t, ({ host, port }) => {
    const activation = ['--accept', '--inetd', `--listen=${host}:${port}`];
    return [...activation, process.execPath, popper, '--inetd', '-c', site.configFile];
  });
  const client = await logIn(where);
  assert.ok((await client.askOctets('RETR 1')).equals(onWire(mail[0]?.octets ?? Buffer.alloc(0))));
  assert.match(await client.quit(), /^\+OK/);
});

test(
  'an operator whose inetd accepts no clients itself is told so, for else it would start popper forever',
  needs('systemd'),
  async (t) => {
    const site = await inetdSite(t);
    const port = await freePort();
    const activation = ['--inetd', `--listen=127.0.0.1:${port}`];
    const line = [...activation, process.execPath, popper, '--inetd', '-c', site.configFile];
    const started = run('systemd-socket-activate', line, { home: site.folder, fine: [1] });
    const client = await knock(port);
    assert.match(
      (await started).stderr,
      /standard input is a socket that waits for clients.*nowait.*Accept=yes/,
    );
    client.destroy();
  },
);

/** Resolves when somebody listens there. */
async function knock(port: number): Promise<Pop3Client> {
  for (;;) {
    const client = await Pop3Client.connect({ host: '127.0.0.1', port }).catch(() => undefined);
    if (client !== undefined) return client;
    await delay(20);
  }
}

test('the process that is root above a session reaches no code that reads what a client says', () => {
  const root = join(import.meta.dirname, '../../');
  const reached = reachOf(root, ['core/server/inetd/one-session.ts']);
  const readers =
    /^core\/(session|commands|maildrop|plugin|config)\/|line-reader|\/channel|incoming|frames|open-client/;
  assert.deepEqual(
    reached.filter((path) => readers.test(path)),
    [],
  );
  assert.ok(reached.includes('core/server/master/users.ts'));
});
