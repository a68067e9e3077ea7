import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { defineCommand, ok, type Plugin, Secret, type Session } from 'popperd';
import { memoryHost, memoryMaildrop, testPlugin, TestServer } from 'popperd/testing';

import { makeCertificate, type PemFiles } from '../../core/server/testing/certificates.ts';
import { running } from '../../core/server/testing/daemon-under-test.ts';
import { TlsClient } from '../../core/server/testing/tls-client.ts';
import type { Settings } from '../../core/settings.ts';
import { login } from './support.ts';

let folder: string;
let files: PemFiles;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-tls-'));
  files = await makeCertificate(folder);
});
after(() => rm(folder, { recursive: true }));

test('S1: STLS is refused after the login, a second time, and on a port where TLS came first', async (t) => {
  const plain = await TlsClient.plain((await serve(t)).port);
  await plain.startTls();
  assert.equal(await plain.say('STLS'), '-ERR this connection has TLS already');
  const first = await TlsClient.secured((await serve(t, { listen: [implicit] })).port);
  assert.equal(await first.say('STLS'), '-ERR this connection has TLS already');
  const late = await TlsClient.plain((await serve(t)).port);
  for (const line of login) await late.ask(line);
  assert.equal(await late.say('STLS'), '-ERR STLS has no place in the TRANSACTION state');
  for (const client of [plain, first, late]) await client.ask('QUIT');
});

test('S1: STLS takes no argument, and where there is no certificate there is no STLS', async () => {
  assert.deepEqual((await memory().converse(['STLS now', 'QUIT'])).slice(1), ['-ERR usage: STLS', '+OK bye']);
  const without = new TestServer([host()]);
  assert.deepEqual((await without.converse(['STLS', 'QUIT'])).slice(1), ['-ERR unknown command', '+OK bye']);
});

for (const [what, more] of [
  ['a login', 'USER mrose\r\nPASS secret\r\n'],
  ['half a line', 'US'],
  ['a handshake', '\x16\x03\x01'],
] as const) {
  test(`S2: ${what} in one segment with STLS ends the connection, and is never looked at`, async (t) => {
    const { port, asked } = await serve(t);
    const client = await TlsClient.plain(port);
    client.heard = '';
    client.socket.write(`STLS\r\n${more}`, 'latin1');
    assert.equal(await client.ended(), '-ERR nothing may follow STLS before it is answered\r\n');
    assert.equal(asked(), 0);
  });
}

test('S2: what is said in plain after the answer to STLS ends the connection, and is never looked at', async (t) => {
  const { port, asked, log } = await serve(t);
  const client = await TlsClient.plain(port);
  await client.ask('STLS');
  client.heard = '';
  client.send(...login);
  assert.doesNotMatch(await client.ended(), /[+]OK|-ERR/);
  assert.equal(asked(), 0);
  await delay(0);
  assert.ok(log.some(({ message }) => message === 'no TLS handshake'));
});

test('S2: commands before STLS in the same segment are answered, and TLS follows', async (t) => {
  const client = await TlsClient.plain((await serve(t)).port);
  client.heard = '';
  client.send('CAPA', 'USER mrose', 'STLS');
  await client.hears(/\+OK begin TLS\r\n$/);
  assert.match(
    client.heard,
    /^\+OK capability list follows\r\n[^]*\r\n\.\r\n\+OK send PASS\r\n\+OK begin TLS\r\n$/,
  );
  await client.handshake();
  assert.equal(await client.say('PASS secret'), '-ERR USER first');
});

test('S3: after the answer to STLS the server is silent until the handshake', async (t) => {
  const client = await TlsClient.plain((await serve(t)).port);
  client.heard = '';
  client.send('STLS');
  await delay(200);
  assert.equal(client.heard, '+OK begin TLS\r\n');
  await client.handshake();
  await delay(100);
  assert.equal(client.heard, '', 'there is no second greeting (RFC 2595 section 4)');
  for (const line of login) await client.ask(line);
});

test('S4: the name that USER gave before STLS is forgotten', async (t) => {
  const client = await TlsClient.plain((await serve(t)).port);
  await client.ask('USER mrose');
  await client.startTls();
  assert.equal(await client.say('PASS secret'), '-ERR USER first');
});

for (const id of ['S4', 'S9']) {
  test(`${id}: what a plugin knew of the session before STLS (UTF8, LANG) it does not know after it`, async () => {
    const said = await memory([utf8]).converse(['UTF8', 'ISUTF8', 'STLS', 'ISUTF8', 'QUIT']);
    assert.deepEqual(said.slice(1), ['+OK', '+OK yes', '+OK begin TLS', '+OK no', '+OK bye']);
  });
}

test('S5: CAPA announces STLS while it can be used, and USER only where a password may be sent', async () => {
  const said = await memory([], { cleartextLogin: 'never' }).converse(['CAPA', 'STLS', 'CAPA']);
  const [inClear = [], underTls = []] = listsIn(said);
  assert.deepEqual([inClear.includes('STLS'), inClear.includes('USER')], [true, false]);
  assert.deepEqual([underTls.includes('STLS'), underTls.includes('USER')], [false, true]);
});

test('C2: what is announced before the login is announced after it, but for STLS, which cannot be used any more', async () => {
  const said = await memory().converse(['CAPA', ...login, 'CAPA']);
  const [stranger = [], user = []] = listsIn(said);
  assert.ok(stranger.includes('STLS') && stranger.includes('USER'));
  assert.deepEqual(
    user,
    stranger.filter((line) => line !== 'STLS'),
  );
});

test('A22: a password is not taken without TLS, and whoever sends one is told what to do', async () => {
  const server = memory([], { cleartextLogin: 'loopback' });
  assert.deepEqual((await server.converse([...login, 'STLS', ...login, 'QUIT'])).slice(1), [
    tlsFirst,
    tlsFirst,
    '+OK begin TLS',
    '+OK send PASS',
    '+OK maildrop has 1 message (3 octets)',
    '+OK bye',
  ]);
});

test('A22: a client on this machine may send its password without TLS, unless that is ruled out', async (t) => {
  const allowed = await TlsClient.plain((await serve(t)).port);
  for (const line of login) await allowed.ask(line);
  const refused = await TlsClient.plain((await serve(t, { cleartextLogin: 'never' })).port);
  for (const line of login) assert.equal(await refused.say(line), tlsFirst);
  refused.destroy();
});

test("A22: a plugin's own login command lets no password in that USER and PASS would not", async () => {
  const server = memory([shortcut], { cleartextLogin: 'loopback' });
  assert.deepEqual((await server.converse(['LOGIN', 'STLS', 'LOGIN', 'QUIT'])).slice(1), [
    '-ERR [AUTH] login refused',
    '+OK begin TLS',
    '+OK maildrop has 1 message (3 octets)',
    '+OK bye',
  ]);
});

test('C8: without TLS at all nobody from elsewhere finds USER announced, and each is told whom to ask', async () => {
  const server = new TestServer([host()], { settings: { cleartextLogin: 'loopback' } });
  const said = await server.converse(['CAPA', ...login]);
  assert.ok(!said.includes('USER'));
  assert.match(
    said.at(-1) ?? '',
    /^-ERR \[SYS\/PERM\] passwords are taken over TLS only, and this server has none/,
  );
});

test('S6: a client that says something else than a handshake is cut off, and hears nothing in plain', async (t) => {
  const { port, log } = await serve(t, { listen: [implicit] });
  const client = TlsClient.silent(port);
  client.send('CAPA', 'QUIT');
  assert.doesNotMatch(await client.ended(), /[+]OK|-ERR/);
  await delay(0);
  const record = log.find(({ message }) => message === 'no TLS handshake');
  assert.equal(record?.fields['reason'], 'wrong version number');
});

test('S6: a client that begins a handshake and goes no further meets the login deadline', async (t) => {
  const { port } = await serve(t, { listen: [implicit], loginTimeoutMs: 200 });
  const client = TlsClient.silent(port);
  client.socket.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]));
  assert.equal(await client.ended(), '');
});

test('S7: a client that asks for POP3 by ALPN has it confirmed, and one that asks for another protocol is sent away', async (t) => {
  const { port } = await serve(t, { listen: [implicit] });
  const client = await TlsClient.secured(port, { ALPNProtocols: ['imap', 'pop3'], servername: 'localhost' });
  assert.equal(client.tls.alpnProtocol, 'pop3');
  assert.equal(client.tls.getPeerX509Certificate()?.subjectAltName, 'DNS:localhost, IP Address:127.0.0.1');
  client.destroy();
  await assert.rejects(TlsClient.secured(port, { ALPNProtocols: ['http/1.1'] }));
});

test('S8: TLS 1.1 is refused; TLS 1.2 is too where the operator wants nothing below 1.3', async (t) => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  const { port } = await serve(t, { listen: [implicit] });
  await assert.rejects(TlsClient.secured(port, old));
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const client = await TlsClient.secured(port, { minVersion: version, maxVersion: version });
    assert.equal(client.tls.getProtocol(), version);
    client.destroy();
  }
  const strict = await serve(t, { listen: [implicit], tls: { ...files, minVersion: 'TLSv1.3' } });
  await assert.rejects(TlsClient.secured(strict.port, { maxVersion: 'TLSv1.2' }));
});

const implicit = { host: '127.0.0.1', port: 0, tls: true } as const;
const tlsFirst = '-ERR passwords are taken over TLS only: use STLS, or the port for POP3 over TLS';
const host = () => memoryHost(memoryMaildrop(['a\r\n']));

/** A daemon with a certificate; `asked` counts the logins that it was asked to check. */
async function serve(t: TestContext, settings: Partial<Settings> = {}) {
  let logins = 0;
  const counted = testPlugin('counted', (popper) => {
    popper.hooks.authenticate.tapPromise('counted', async () => void (logins += 1));
    host().apply(popper);
  });
  const tls = { ...files, minVersion: 'TLSv1.2' } as const;
  const { daemon, port, log } = await running(counted, { tls, ...settings });
  t.after(() => daemon.stop());
  return { port, log, asked: () => logins };
}

/** The same without sockets. */
const memory = (plugins: readonly Plugin[] = [], settings: Partial<Settings> = {}): TestServer =>
  new TestServer([...plugins, host()], {
    settings: { tls: { certificate: '/none', key: '/none', minVersion: 'TLSv1.2' }, ...settings },
  });

/** The capability lists in what the server said. */
function listsIn(said: readonly string[]): readonly (readonly string[])[] {
  const starts = said.flatMap((line, index) => (line === '+OK capability list follows' ? [index + 1] : []));
  return starts.map((start) => said.slice(start, said.indexOf('.', start)));
}

/** A plugin whose command changes how it treats a session from then on. */
const utf8 = testPlugin('utf8', ({ commands }) => {
  const on = new WeakSet<Session>();
  const command = (keyword: string, run: (session: Session) => string): void =>
    commands.add(
      defineCommand({
        keyword,
        states: ['AUTHORIZATION'],
        usage: keyword,
        parse: () => undefined,
        run: (_, session) => ok(run(session)),
      }),
    );
  command('UTF8', (session) => {
    on.add(session);
    return '';
  });
  command('ISUTF8', (session) => (on.has(session) ? 'yes' : 'no'));
});

/** A plugin that logs in by one line, and does not think of who listens. */
const shortcut = testPlugin('shortcut', ({ commands }) => {
  commands.add(
    defineCommand({
      keyword: 'LOGIN',
      states: ['AUTHORIZATION'],
      usage: 'LOGIN',
      parse: () => undefined,
      run: () => ({
        kind: 'login',
        attempt: { method: 'password', user: 'mrose', password: new Secret('secret') },
      }),
    }),
  );
});
