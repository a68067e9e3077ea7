import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { after, test } from 'node:test';

import koffi from 'koffi';

import { loggerTo, type LogRecord } from '../log/logger.ts';
import { listen, type Listener } from './listener.ts';
import { SocketDebug } from './socket-debug.ts';

const status = await readFile('/proc/self/status', 'latin1').catch(() => '');
const capabilities = BigInt(`0x${/^CapEff:\t(\w+)$/m.exec(status)?.[1] ?? '0'}`);
const mayDebug = (capabilities & (1n << 12n)) !== 0n;
const asRoot = { skip: !mayDebug && 'only root with CAP_NET_ADMIN may set SO_DEBUG' };
const getOption = koffi
  .load(null)
  .func('int getsockopt(int descriptor, int level, int option, _Out_ int *value, _Inout_ uint32_t *octets)');

/** SOL_SOCKET and SO_DEBUG are 1 on Linux. */
function isDebugged(descriptor: number | undefined): boolean {
  const value: number[] = [0];
  assert.equal(getOption(descriptor, 1, 1, value, [4]), 0);
  return value[0] === 1;
}

function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  const known = typeof handle === 'object' && handle !== null && 'fd' in handle;
  return known && typeof handle.fd === 'number' ? handle.fd : undefined;
}

/** The server's end of a new connection. */
async function connectionTo({ address }: Listener, accepted: Promise<Socket>): Promise<Socket> {
  const client = connect(Number(address.split(':').at(-1)), '127.0.0.1');
  after(() => client.destroy());
  const socket = await accepted;
  after(() => socket.destroy());
  return socket;
}

async function openPort() {
  const { promise: accepted, resolve } = Promise.withResolvers<Socket>();
  const opened = await listen({ host: '127.0.0.1', port: 0 }, resolve, () => {});
  after(() => opened.close());
  return { opened, accepted };
}

async function debugging() {
  const records: LogRecord[] = [];
  return { records, debug: await SocketDebug.load(loggerTo((record) => void records.push(record))) };
}

test('the kernel is asked to debug connections of a socket on which that is turned on', asRoot, async () => {
  const { records, debug } = await debugging();
  const { opened, accepted } = await openPort();
  assert.equal(isDebugged(opened.descriptor), false);
  debug.turnOn(opened.descriptor);
  assert.equal(isDebugged(opened.descriptor), true);
  assert.equal(isDebugged(descriptorOf(await connectionTo(opened, accepted))), true);
  assert.deepEqual(records, []);
});

test('where the system does not let us, the reason is logged once, and clients come in', asRoot, async () => {
  const { records, debug } = await debugging();
  const [one, other] = [await openPort(), await openPort()];
  process.seteuid?.('nobody');
  try {
    debug.turnOn(one.opened.descriptor);
    debug.turnOn(other.opened.descriptor);
  } finally {
    process.seteuid?.(0);
  }
  assert.deepEqual(
    records.map(({ level, message, fields }) => [level, message, fields['reason']]),
    [['info', 'SO_DEBUG is not set', 'EACCES: the system asks for CAP_NET_ADMIN']],
  );
  assert.equal(isDebugged(descriptorOf(await connectionTo(one.opened, one.accepted))), false);
});

test('a descriptor that is none is told of, and ends nothing', async () => {
  const { records, debug } = await debugging();
  debug.turnOn(undefined);
  assert.equal(records.length, 1);
});
