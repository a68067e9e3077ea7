import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { makeCertificate } from '../testing/certificates.ts';
import { certificateOf } from './certificate.ts';
import { handshake } from './handshake.ts';
import { readPem } from './read-pem.ts';

test('a client that sends its handshake octet by octet is waited for only so long', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'popper-handshake-'));
  t.after(() => rm(folder, { recursive: true }));
  const settings = { ...(await makeCertificate(folder)), minVersion: 'TLSv1.2' } as const;
  const served = certificateOf(await readPem(settings), settings);
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const client = connect(address.port, '127.0.0.1').on('error', () => {});
  const [socket]: Socket[] = await once(server, 'connection');
  assert.ok(socket);
  client.write(Buffer.from([0x16, 0x03, 0x01, 0x40, 0x00]));
  const drip = setInterval(() => client.write(Buffer.from([0])), 20);
  const outcome = await handshake(socket, served, 200);
  clearInterval(drip);
  assert.deepEqual(outcome, { reason: 'it took more than 200 ms' });
  // It may hear of the end by an error first, which `once` would take for its own.
  if (!client.closed) await new Promise((resolve) => client.once('close', resolve));
  assert.ok(socket.destroyed);
});
