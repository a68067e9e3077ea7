import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { makeCertificate } from '../../core/server/testing/certificates.ts';
import { TlsClient } from '../../core/server/testing/tls-client.ts';
import { makeInbox } from './support/inbox.ts';
import { onWire, plainMail, putMail } from './support/mail.ts';
import type { Where } from './support/pop3-client.ts';
import { helper, needs, run } from './support/program.ts';
import { makeSite, password } from './support/site.ts';

const ways = ['STLS', 'pop3s'] as const;
type Way = (typeof ways)[number];

for (const way of ways) {
  test(
    `curl fetches a message by ${way} and believes the certificate`,
    needs('curl', 'openssl'),
    async (t) => {
      const { site, certificate, portOf } = await started(t);
      const url = way === 'STLS' ? `pop3://localhost:${portOf(way)}/1` : `pop3s://localhost:${portOf(way)}/1`;
      const words = ['-sS', '--ssl-reqd', '--cacert', certificate, '--user', `alice:${password}`, url];
      const { stdout } = await run('curl', words, { home: site.folder });
      assert.ok(stdout.equals(onWire(firstMessage)));
    },
  );

  test(`mpop fetches all mail by ${way}`, needs('mpop', 'openssl'), async (t) => {
    const { site, certificate, portOf } = await started(t);
    const inbox = await makeInbox(site.folder);
    const lines = [
      'account default',
      'host localhost',
      `port ${portOf(way)}`,
      'tls on',
      `tls_starttls ${way === 'STLS' ? 'on' : 'off'}`,
      `tls_trust_file ${certificate}`,
      'auth user',
      'user alice',
      `password ${password}`,
      `delivery mda ${inbox.command}`,
      `uidls_file ${join(site.folder, 'uidls')}`,
    ];
    const file = join(site.folder, 'mpoprc');
    await writeFile(file, lines.join('\n'), { mode: 0o600 });
    await run('mpop', ['-C', file, '--quiet'], { home: site.folder });
    assert.equal((await inbox.fetched()).length, plainMail.length);
  });

  test(`fetchmail fetches all mail by ${way}`, needs('fetchmail', 'openssl'), async (t) => {
    const { site, certificate, portOf } = await started(t);
    const inbox = await makeInbox(site.folder);
    const lines = [
      'set no bouncemail',
      `poll localhost protocol pop3 port ${portOf(way)} no dns`,
      `user "alice" password "${password}" nokeep norewrite`,
      `${way === 'pop3s' ? 'ssl' : ''} sslproto "TLS1.2+" sslcertck sslcertfile ${certificate}`,
      `mda "/bin/sh -c '${inbox.command}'"`,
      '',
    ];
    const file = join(site.folder, 'fetchmailrc');
    await writeFile(file, lines.join('\n'), { mode: 0o600 });
    const files = ['-f', file, '--pidfile', join(site.folder, 'fetchmail.pid')];
    await run('fetchmail', files, { home: site.folder, env: { FETCHMAILHOME: site.folder } });
    assert.equal((await inbox.fetched()).length, plainMail.length);
  });

  test(
    `Python's poplib fetches a message by ${way}, and TLS is closed in form`,
    needs('python3', 'openssl'),
    async (t) => {
      const { site, certificate, portOf } = await started(t);
      const args = [helper('fetch-tls.py'), way, String(portOf(way)), certificate, 'alice', password];
      const { stdout } = await run('python3', args, { home: site.folder });
      assert.match(stdout.toString(), /^\d+ TLSv1\.3\n$/);
    },
  );

  test(`openssl finds the certificate of the configuration by ${way}`, needs('openssl'), async (t) => {
    const { site, certificate, portOf } = await started(t);
    const starttls = way === 'STLS' ? ['-starttls', 'pop3'] : [];
    const args = ['-connect', `localhost:${portOf(way)}`, '-CAfile', certificate, '-verify_return_error'];
    const { stdout } = await run('openssl', ['s_client', ...starttls, ...args], {
      home: site.folder,
      input: 'QUIT\n',
    });
    assert.match(stdout.toString(), /Verify return code: 0 \(ok\)/);
  });
}

test(
  'curl that is not told to use TLS does not get in, and does not send its password',
  needs('curl', 'openssl'),
  async (t) => {
    const { site, daemon, portOf } = await started(t);
    const words = ['-sS', '-v', '--user', `alice:${password}`, `pop3://localhost:${portOf('STLS')}/1`];
    const { stderr } = await run('curl', words, { home: site.folder, fine: [loginDenied] });
    assert.doesNotMatch(stderr, /PASS/);
    assert.ok(!daemon.said.includes(password));
  },
);

test(
  'a certificate that is renewed is served to the next client, and whoever is there stays',
  needs('openssl'),
  async (t) => {
    const { site, daemon, portOf } = await started(t);
    const client = await TlsClient.secured(portOf('pop3s'));
    const before = await fingerprint(site.folder, portOf('pop3s'));
    await makeCertificate(site.folder);
    await daemon.logged(({ msg }) => msg === 'certificate renewed');
    const after = await fingerprint(site.folder, portOf('pop3s'));
    assert.notEqual(after, before);
    await client.ask('QUIT');
    client.destroy();
  },
);

const loginDenied = 67;
const firstMessage = plainMail[0]?.octets ?? Buffer.alloc(0);

/** A daemon that takes no password without TLS, not even from this machine. */
async function started(t: TestContext) {
  const host = 'localhost';
  const site = await makeSite(t, {
    config: {
      listen: [
        { host, port: 0 },
        { host, port: 0, tls: true },
      ],
      tls: { certificate: 'server.crt', key: 'server.key' },
      cleartextLogin: 'never',
    },
  });
  const { certificate } = await makeCertificate(site.folder);
  await putMail(site.mboxOf('alice'), plainMail);
  const daemon = await site.start();
  const portOf = (way: Way): number => portIn(daemon.addresses[ways.indexOf(way)]);
  return { site, daemon, certificate, portOf };
}

function portIn(where: Where | undefined): number {
  assert.ok(where !== undefined && 'port' in where);
  return where.port;
}

async function fingerprint(home: string, port: number): Promise<string> {
  const args = ['s_client', '-connect', `localhost:${port}`];
  return (await run('openssl', args, { home, input: 'QUIT\n' })).stdout.toString().split('-----')[2] ?? '';
}
