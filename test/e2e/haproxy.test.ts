import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { startHaProxy } from './support/haproxy.ts';
import { onWire, plainMail, putMail } from './support/mail.ts';
import { Pop3Client } from './support/pop3-client.ts';
import { needs } from './support/program.ts';
import { makeSite, password } from './support/site.ts';

const proxyAddress = '127.0.0.1';
const clientAddress = '127.0.0.9';

const kinds: readonly (readonly [what: string, server: string])[] = [
  ['version 1', 'send-proxy'],
  ['version 2', 'send-proxy-v2'],
  ['version 2 with checksum and names', 'send-proxy-v2 proxy-v2-options crc32c,unique-id,authority'],
];

for (const [what, server] of kinds) {
  test(`a client behind HAProxy is known by its own address: ${what}`, needs('haproxy'), async (t) => {
    const { daemon, proxy } = await begin(t, server);
    const client = await Pop3Client.connect({ ...proxy.where, localAddress: clientAddress });
    client.send(`USER alice\r\nPASS ${password}\r\nSTAT\r\nRETR 1\r\n`);
    for (const expected of [/^\+OK/, /^\+OK/, /^\+OK/, /^\+OK 8 /, /^\+OK/])
      assert.match((await client.line()) ?? 'closed', expected);
    const [first] = plainMail;
    assert.ok(first && (await client.body()).equals(onWire(first.octets)));
    await client.quit();
    const session = await daemon.logged(({ msg, user }) => msg === 'session' && user === 'alice');
    assert.equal(session['address'], clientAddress);
  });

  test(`HAProxy's health checks find the daemon well: ${what}`, needs('haproxy'), async (t) => {
    const { daemon, proxy } = await begin(t, server);
    while ((await proxy.checkStatus()) !== 'L7OK') await delay(50);
    const check = await daemon.logged(({ msg, ending }) => msg === 'session' && ending === 'quit');
    assert.equal(check['address'], proxyAddress, 'nobody but itself');
    assert.ok(
      daemon.records.every(({ msg }) => !msg.includes('PROXY')),
      daemon.said,
    );
  });
}

test('each client behind HAProxy has its own limit, and the proxy has none', needs('haproxy'), async (t) => {
  const { proxy } = await begin(t, 'send-proxy-v2', { limits: { connectionsPerAddress: 1 } });
  const greetings: (string | undefined)[] = [];
  for (const host of [11, 12, 13, 11]) {
    const client = await Pop3Client.connect({ ...proxy.where, localAddress: `127.0.0.${host}` });
    greetings.push((await client.line())?.slice(0, 15));
    t.after(() => client.destroy());
  }
  assert.deepEqual(
    greetings.map((line) => line?.startsWith('+OK')),
    [true, true, true, false],
  );
  assert.match(greetings[3] ?? '', /^-ERR \[SYS\/TEMP\]/);
});

test(
  'a HAProxy that was not told to say for whom is closed, and the log says why',
  needs('haproxy'),
  async (t) => {
    const { daemon, proxy } = await begin(t, '');
    const client = await Pop3Client.connect(proxy.where);
    assert.equal((await client.rest()).toString(), '');
    const record = await daemon.logged(({ msg }) => msg === 'no PROXY header where one is due');
    assert.equal(record['address'], proxyAddress);
  },
);

async function begin(t: TestContext, server: string, config: Readonly<Record<string, unknown>> = {}) {
  const listen = [{ host: '127.0.0.1', port: 0, proxy: { from: [proxyAddress] } }];
  const site = await makeSite(t, { config: { listen, ...config } });
  await putMail(site.mboxOf('alice'), plainMail);
  const daemon = await site.start();
  return { daemon, proxy: await startHaProxy(t, { folder: site.folder, daemon: daemon.where, server }) };
}
