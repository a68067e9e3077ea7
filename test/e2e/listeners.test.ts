import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { plainMail, putMail } from './support/mail.ts';
import { logIn, makeSite } from './support/site.ts';

const loopbacks = networkInterfaces()['lo'] ?? [];
const ipv6 = { skip: !loopbacks.some(({ family }) => family === 'IPv6') && 'needs a machine with IPv6' };

test('clients come in over IPv4 and IPv6 at once', ipv6, async (t) => {
  const listen = [
    { host: '127.0.0.1', port: 0 },
    { host: '::1', port: 0 },
  ];
  const site = await makeSite(t, { config: { listen } });
  await putMail(site.mboxOf('alice'), plainMail);
  const daemon = await site.start();
  for (const [index, address] of ['127.0.0.1', '::1'].entries()) {
    const where = daemon.addresses[index];
    assert.ok(where && 'host' in where && where.host === address);
    await (await logIn(where)).quit();
    await daemon.logged((record) => record.msg === 'session' && record['address'] === address);
  }
});

test('clients come in over a unix socket, and do again after a daemon that was killed', async (t) => {
  // A name of its own is short enough for a socket only relative to a short folder.
  const site = await makeSite(t, { config: { listen: [{ path: 'popper.sock', mode: 0o600 }] } });
  await putMail(site.mboxOf('alice'), plainMail);
  const path = join(site.folder, 'popper.sock');
  const first = await site.start();
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await (await logIn({ path })).quit();
  await first.logged((record) => record.msg === 'session' && record['address'] === 'unix');
  await first.kill();
  const second = await site.start();
  await (await logIn({ path })).quit();
  assert.equal(await second.stop(), 0);
  await assert.rejects(stat(path), { code: 'ENOENT' });
});

test('a daemon whose port is taken says which one, and what to do', async (t) => {
  const site = await makeSite(t, { config: { control: false } });
  const { port } = (await site.start()).where;
  await assert.rejects(site.start(port), new RegExp(`127\\.0\\.0\\.1:${port}.*another program has it`));
});
