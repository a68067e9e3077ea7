import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';

import { makeCertificate } from '../../core/server/testing/certificates.ts';
import { TlsClient } from '../../core/server/testing/tls-client.ts';
import { password } from '../e2e/support/site.ts';
import { ServedSite } from './support/served-site.ts';
import { alice } from './support/site.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can serve users as themselves';
/** More than kernels keep for one who does not read. */
const text = `${'x'.repeat(70)}\n`.repeat(400_000);
const longMail = `From bob@example.com Thu Jan  1 00:00:00 1970\nSubject: long\n\n${text}\n`;

describe("a client with TLS who reads nothing, whose session runs in his user's process", { skip }, () => {
  let served: ServedSite;

  afterEach(async () => {
    await served.end();
  });

  test('is given up with his session, and cannot take what he got for all of a message', async () => {
    served = await ServedSite.make([alice]);
    await served.site.deliver(alice, longMail);
    const tls = await makeCertificate(served.site.folder);
    const listen = [{ host: '127.0.0.1', port: 0, tls: true }];
    await served.configure({ tls, listen, idleTimeoutMs: 4000 });
    const [where] = (await served.start()).addresses;
    const client = await TlsClient.secured(where !== undefined && 'port' in where ? where.port : 0);
    await client.ask(`USER ${alice.name}`);
    await client.ask(`PASS ${password}`);
    client.socket.pause();
    client.send('RETR 1');
    const { ending } = await served.running.logged(({ msg }) => msg === 'session');
    assert.equal(ending, 'idle');
    assert.equal(await endOf(client), 'ECONNRESET');
  });
});

/** How the connection ends for one who reads again. */
async function endOf(client: TlsClient): Promise<unknown> {
  let code: unknown;
  client.socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code;
  });
  client.socket.resume();
  await client.ended();
  return code;
}
