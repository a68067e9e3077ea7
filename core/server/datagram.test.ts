import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { DatagramSocket } from './datagram.ts';
import { DatagramReader } from './testing/datagram-reader.ts';

const folder = await mkdtemp(join(tmpdir(), 'popper-datagram-'));
after(() => rm(folder, { recursive: true }));

let socket: DatagramSocket;
before(async () => {
  socket = await DatagramSocket.open();
});
after(() => socket.close());

for (const address of [join(folder, 'notify'), `@popper-test-${process.pid}`]) {
  test(`a datagram arrives at ${address.startsWith('@') ? 'an abstract name' : 'a path'}, octet for octet, from this process`, async (t) => {
    const reader = await DatagramReader.open(address);
    t.after(() => reader.close());
    socket.send(Buffer.from('one\ntwo é'), address);
    socket.send(new Uint8Array(0), address);
    socket.send(Buffer.from('end'), address);
    await reader.with('end');
    assert.deepEqual(
      reader.read.map(({ lines, pid }) => [lines, pid]),
      [
        [['one', 'two é'], process.pid],
        [[''], process.pid],
        [['end'], process.pid],
      ],
    );
  });
}

test('whoever does not read holds nobody up: the sender is told at once', async (t) => {
  const address = join(folder, 'deaf');
  const reader = await DatagramReader.open(address, 60);
  t.after(() => reader.close());
  const flood = (): void => {
    for (let sent = 0; sent < 10_000; sent += 1) socket.send(Buffer.alloc(1000, 'x'), address);
  };
  assert.throws(flood, { name: 'DatagramFailure', code: 'EAGAIN' });
});

test('that nobody is there is an error with its name', () => {
  assert.throws(() => socket.send(Buffer.from('x'), join(folder, 'nobody')), { code: 'ENOENT' });
  assert.throws(() => socket.send(Buffer.from('x'), '@popper-test-nobody'), { code: 'ECONNREFUSED' });
});

test('what is no address is refused before the kernel sees half of it', () => {
  for (const address of ['', '/', '@', 'relative', `/${'x'.repeat(107)}`, `@${'x'.repeat(108)}`]) {
    assert.throws(() => socket.send(Buffer.from('x'), address), RangeError, address);
  }
});
