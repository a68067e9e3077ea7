import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { Failure } from '../../protocol/failure.ts';
import type { CarriedConnectionFacts } from '../user/connection-facts.ts';
import { OutOfReach } from '../user/user-authority.ts';
import { Assignments } from './assignments.ts';
import { Superior } from './superior.ts';

/** Says that a request has come, and answers it as its ticket says. */
const program = `
  process.on('message', ({ request, ticket }) => {
    if (ticket === 'refuse') process.send({ kind: 'unassigned', request, text: 'try again', code: 'IN-USE' });
    else process.send({ kind: 'tell' });
  });`;

const peer = { address: '192.0.2.7', port: 4711 };
const facts: CarriedConnectionFacts = { id: '1-1', peer, local: peer, secure: false };

describe('a front that asks its master for the process of a user', () => {
  let master: ChildProcess;
  let assignments: Assignments;
  let superior: Superior;
  /** Resolves when the master has got a request. */
  let heard: Promise<void>;

  beforeEach(() => {
    master = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    superior = new Superior(master);
    assignments = new Assignments(superior);
    heard = new Promise((resolve) => {
      superior.obey((order) => {
        if (order.kind === 'unassigned') assignments.unassigned(order);
        if (order.kind === 'tell') resolve();
      });
    });
  });
  afterEach(async () => {
    master.kill('SIGKILL');
    await superior.gone;
  });

  test('says nothing more of a connection that it has lent, where the master dies, for somebody else may', async (t) => {
    const { outcome } = await assignments.assign('good', facts, await connectionOf(t));
    const end = assert.rejects(outcome, OutOfReach);
    await heard;
    master.kill('SIGKILL');
    await end;
  });

  test('tells a client so whose connection nobody has got', async (t) => {
    const { outcome } = await assignments.assign('refuse', facts, await connectionOf(t));
    await assert.rejects(outcome, { message: 'try again', code: 'IN-USE' });
  });

  test('tells one so who waits for a relay when the master dies, and at once whoever comes after that', async (t) => {
    const waiting = assert.rejects(assignments.assign('good', facts), Failure);
    await heard;
    master.kill('SIGKILL');
    await waiting;
    await assert.rejects(assignments.assign('good', { ...facts, id: '1-2' }), Failure);
    await assert.rejects(assignments.assign('good', { ...facts, id: '1-3' }, await connectionOf(t)), Failure);
  });
});

/** One that a client has opened, at the server's end. */
async function connectionOf(t: { after(done: () => void): void }): Promise<Socket> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const client = connect(address.port, '127.0.0.1');
  const [socket]: Socket[] = await once(server, 'connection');
  assert.ok(socket !== undefined);
  t.after(() => {
    for (const end of [client, socket]) end.destroy();
    server.close();
  });
  return socket;
}
