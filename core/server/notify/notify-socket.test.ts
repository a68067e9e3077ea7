import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { DatagramFailure } from '../datagram.ts';
import { NotifySocket } from './notify-socket.ts';

/** A manager that takes messages, or fails by that code. */
function manager() {
  const state = { code: '', taken: [] as string[], logged: [] as string[] };
  const send = (message: Uint8Array, to: string): void => {
    if (state.code !== '') throw new DatagramFailure(state.code, to);
    state.taken.push(Buffer.from(message).toString());
  };
  const log = { error: (message: string) => void state.logged.push(message) };
  return { state, socket: new NotifySocket({ send }, '@manager', log) };
}

test('what a busy manager has not taken follows in its order when it reads again, and only that', async () => {
  const { state, socket } = manager();
  state.code = 'EAGAIN';
  socket.tell('RELOADING=1', 'MONOTONIC_USEC=5');
  socket.tell('READY=1');
  assert.equal(socket.mention('STATUS=old'), false);
  await delay(150);
  state.code = '';
  assert.equal(socket.mention('STATUS=overtaking'), false);
  await delay(150);
  assert.deepEqual(state.taken, ['RELOADING=1\nMONOTONIC_USEC=5', 'READY=1']);
  assert.equal(socket.mention('STATUS=new'), true);
  assert.equal(state.taken.at(-1), 'STATUS=new');
  assert.deepEqual(state.logged, []);
});

test('a manager who never reads again is not remembered for more than so many messages', async () => {
  const { state, socket } = manager();
  state.code = 'EAGAIN';
  for (let number = 1; number <= 1000; number += 1) socket.tell(`READY=${number}`);
  state.code = '';
  await delay(150);
  assert.equal(state.taken.length, 100);
});

test('a manager who is gone is told of once in the log, and heard of again when he was back', () => {
  const { state, socket } = manager();
  state.code = 'ECONNREFUSED';
  socket.tell('READY=1');
  assert.equal(socket.mention('WATCHDOG=1'), false);
  assert.deepEqual(state.logged, ['the service manager cannot be told']);
  state.code = '';
  socket.tell('STOPPING=1');
  assert.deepEqual(state.taken, ['STOPPING=1']);
  state.code = 'ENOENT';
  socket.mention('WATCHDOG=1');
  assert.equal(state.logged.length, 2);
});
