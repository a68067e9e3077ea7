import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { loggerTo, type LogRecord } from '../../log/logger.ts';
import type { TlsSettings } from '../../settings.ts';
import { makeCertificate, type PemFiles } from '../testing/certificates.ts';
import { certificateOf, untimely } from './certificate.ts';
import { readPem } from './read-pem.ts';
import { ServedCertificate } from './served-certificate.ts';
import { TlsFault } from './tls-fault.ts';

test('a certificate that is renewed is served without a restart', async (t) => {
  const { folder, served, logged } = await serving(t);
  const before = served.context;
  await makeCertificate(folder);
  await logged('certificate renewed');
  assert.notEqual(served.context, before);
});

test('a certificate whose key has not come yet is not served; with the key it is', async (t) => {
  const { folder, settings, served, log, logged } = await serving(t);
  const before = served.context;
  const next = await makeCertificate(folder, { name: 'next' });
  await writeFile(settings.certificate, await readFile(next.certificate));
  await logged('certificate not renewed, the old one is served on');
  assert.equal(served.context, before);
  const { reason, fix } = log.at(-1)?.fields ?? {};
  assert.match(
    String(reason),
    /^tls\.key: .*server\.key is not the key of the first certificate in .*server\.crt$/,
  );
  assert.match(String(fix), /name the key that the certificate was made for/);
  await writeFile(settings.key, await readFile(next.key));
  await logged('certificate renewed');
  assert.notEqual(served.context, before);
});

const spoilt: readonly (readonly [what: string, spoil: (settings: TlsSettings) => Promise<unknown>])[] = [
  ['is gone', ({ certificate }) => rm(certificate)],
  ['has become empty', ({ certificate }) => writeFile(certificate, '')],
  ['has lost its key', ({ key }) => rm(key)],
  ['has expired', ({ certificate }) => makeCertificate(join(certificate, '..'), { isExpired: true })],
];
for (const [what, spoil] of spoilt) {
  test(`a certificate that ${what} leaves the one before it in force, and the log says so once`, async (t) => {
    const { settings, served, log, logged } = await serving(t);
    const before = served.context;
    await spoil(settings);
    await logged('certificate not renewed, the old one is served on');
    await delay(lookEveryMs * 6);
    assert.equal(served.context, before);
    assert.equal(log.length, 1);
    assert.ok(log[0]?.fields['fix']);
  });
}

test('a certificate that is being written, and its key after it, are not looked at before they are at rest', async (t) => {
  const { folder, settings, log, logged } = await serving(t, 100);
  const next = await makeCertificate(folder, { name: 'next' });
  const certificate = await readFile(next.certificate);
  for (let round = 0; round < 20; round += 1) {
    await writeFile(
      settings.certificate,
      certificate.subarray(0, round % 2 === 0 ? 100 : certificate.length),
    );
    await delay(30);
  }
  await writeFile(settings.key, await readFile(next.key));
  await logged('certificate renewed');
  assert.equal(log.length, 1);
});

test('an operator who asks for it has the files read at once, changed or not', async (t) => {
  const { served, log } = await serving(t);
  const before = served.context;
  await served.renew();
  assert.notEqual(served.context, before);
  assert.equal(log.at(-1)?.message, 'certificate renewed');
});

test('a daemon does not start with files that cannot be served, and says which, why, and what to do', async (t) => {
  const folder = await scratch(t);
  const { certificate, key } = await makeCertificate(folder);
  const other = await makeCertificate(folder, { name: 'other' });
  const nothing = join(folder, 'nothing');
  const text = join(folder, 'text');
  await writeFile(text, 'hello\n');
  const faults: readonly (readonly [files: PemFiles, message: RegExp])[] = [
    [{ certificate: nothing, key }, /^tls\.certificate: .*nothing is not there; to mend it: put the file/],
    [{ certificate, key: nothing }, /^tls\.key: .*nothing is not there/],
    [{ certificate: folder, key }, /^tls\.certificate: .* is a folder/],
    [{ certificate: text, key }, /^tls\.certificate: .*text holds no certificate in PEM form/],
    [{ certificate, key: text }, /^tls\.key: .*text holds no private key in PEM form/],
    [{ certificate, key: other.key }, /^tls\.key: .*other\.key is not the key of the first certificate/],
  ];
  for (const [files, message] of faults) {
    const opening = ServedCertificate.open({ ...files, minVersion: 'TLSv1.2' }, { log: loggerTo(() => {}) });
    await assert.rejects(opening, (error) => error instanceof TlsFault && message.test(error.message));
  }
});

test('a certificate that clients refuse, and a key that everybody can read, are served and complained of', async (t) => {
  const folder = await scratch(t);
  const files = await makeCertificate(folder, { isExpired: true });
  await chmod(files.key, 0o644);
  const log: LogRecord[] = [];
  const settings = { ...files, minVersion: 'TLSv1.2' } as const;
  (await ServedCertificate.open(settings, { log: loggerTo((record) => log.push(record)) })).close();
  assert.match(log[0]?.message ?? '', /expired at/);
  assert.match(log[1]?.message ?? '', /everybody on this machine can read .*server\.key/);
});

test('a certificate is as good as its dates', async (t) => {
  const settings = { ...(await makeCertificate(await scratch(t))), minVersion: 'TLSv1.2' } as const;
  const certificate = certificateOf(await readPem(settings), settings);
  const { validFromDate, validToDate } = new X509Certificate(await readFile(settings.certificate));
  const at = (date: Date, byMs: number): string | undefined =>
    untimely(certificate, settings, new Date(date.getTime() + byMs))?.what;
  assert.equal(at(validFromDate, 0), undefined);
  assert.equal(at(validToDate, 0), undefined);
  assert.match(at(validFromDate, -1) ?? '', /is not valid before/);
  assert.match(at(validToDate, 1) ?? '', /expired/);
});

const lookEveryMs = 20;

async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'popper-tls-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function serving(t: TestContext, everyMs = lookEveryMs) {
  const folder = await scratch(t);
  const settings: TlsSettings = { ...(await makeCertificate(folder)), minVersion: 'TLSv1.2' };
  const log: LogRecord[] = [];
  const served = await ServedCertificate.open(settings, {
    log: loggerTo((record) => log.push(record)),
    lookEveryMs: everyMs,
  });
  t.after(() => served.close());
  const logged = async (message: string): Promise<void> => {
    for (let round = 0; round < 500 && !log.some((record) => record.message === message); round += 1) {
      await delay(lookEveryMs);
    }
    assert.ok(
      log.some((record) => record.message === message),
      `${message}: ${JSON.stringify(log)}`,
    );
  };
  return { folder, settings, served, log, logged };
}
