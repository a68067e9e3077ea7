import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { granted } from '../../auth/login.ts';
import { createCore } from '../../core.ts';
import { loggerTo } from '../../log/logger.ts';
import { Secret } from '../../secret.ts';
import { SessionTally } from '../../session/session-tally.ts';
import { defaultSettings } from '../../settings.ts';
import { memoryState } from '../../testing/memory-state.ts';
import { SocketChannel } from '../channel.ts';
import { codeOf, Connections } from '../testing/connections.ts';
import { type Assigned, userAuthority, type WorkerOutcome } from './user-authority.ts';

const mrose = { user: 'mrose', uid: 1000, gid: 1000, home: '/home/mrose' };
const settings = { ...defaultSettings, listen: [], stateDir: '/nonexistent' };
const peer = { address: '192.0.2.1', port: 1 };
const facts = { id: 'c1', peer, local: peer, secure: false };
const none = { messages: 0, octets: 0 };
const mail = { retrieved: none, top: none, deleted: none, left: none };
const outcome: WorkerOutcome = {
  ending: 'quit',
  failure: undefined,
  ...mail,
  openMs: 1,
  updateMs: 1,
  isTorn: false,
  received: 0,
  sent: 0,
};
/** As a worker has told of a client who read nothing for a while. */
const whenStalled: Assigned['whenStalled'] = (tell) => tell(70_000);
/** More than kernels keep for one who does not read. */
const answer = Buffer.alloc(30_000_000, 'x');

describe('a client whose session runs behind a relay, and who has not read all when it is over', () => {
  let connections: Connections;
  before(async () => {
    connections = await Connections.open();
  });
  after(() => connections.close());

  /** A session in a worker, of which `told` is to tell what it came to. */
  const begun = async () => {
    const [client, clientHere] = await connections.make();
    const [worker, workerHere] = await connections.make();
    const channel = new SocketChannel(clientHere, facts, settings);
    client.write('PASS secret\r\nRETR 1\r\n');
    await channel.readLine();
    const told = Promise.withResolvers<WorkerOutcome | undefined>();
    const core = createCore([], {
      settings,
      log: loggerTo(() => {}),
      state: memoryState(),
      baseFolder: '/',
    });
    const authority = userAuthority({
      core,
      logins: { decide: async () => ({ verdict: granted(mrose), ticket: 'sealed' }) },
      channelOf: () => channel,
      assign: async (_ticket, _facts, lent) => {
        assert.equal(lent, undefined, 'who has sent more than the login is not lent');
        return { stream: workerHere, outcome: told.promise, end: () => {}, whenStalled };
      },
    });
    const attempt = { method: 'password', user: 'mrose', password: new Secret('secret') } as const;
    const session = { ...channel.facts, state: 'AUTHORIZATION', claimedUser: 'mrose' } as const;
    const verdict = await authority.authenticate(attempt, session);
    assert(verdict?.kind === 'granted');
    const over = authority.transact(channel, { identity: verdict.identity, facts: {} }, new SessionTally());
    return { client, worker, channel, told, over };
  };

  /** One whose worker has said much, which the client has not read, and tells this of it. */
  const ended = async (cameTo: WorkerOutcome) => {
    const { client, worker, told, ...session } = await begun();
    client.pause();
    worker.end(answer);
    told.resolve(cameTo);
    return { client, ...session };
  };

  for (const { ending, isTorn } of [
    { ending: 'stopped', isTorn: false },
    { ending: 'kicked', isTorn: false },
    { ending: 'idle', isTorn: true },
    { ending: 'failed', isTorn: true },
  ] as const) {
    test(`is cut off soon where it is ${ending}, so that it can tell`, async () => {
      const { client, over } = await ended({ ...outcome, ending, isTorn });
      await over;
      const code = codeOf(client);
      client.resume();
      assert.equal(await code, 'ECONNRESET');
    });
  }

  test('can tell, also where the server stops before the worker has said what became of it', async () => {
    const { client, worker, channel, told, over } = await begun();
    const code = codeOf(client);
    worker.write('+OK 100 octets\r\n');
    await once(client, 'data');
    worker.destroy();
    await delay(50);
    channel.destroy();
    assert.equal(await code, 'ECONNRESET');
    told.resolve({ ...outcome, ending: 'stopped', isTorn: true });
    await over;
  });

  for (const ending of ['quit', 'disconnected', 'failed'] as const) {
    test(`takes the rest in its own time where it is ${ending}`, async () => {
      const { client, channel, over } = await ended({ ...outcome, ending });
      let octets = 0;
      client.on('data', ({ length }: Buffer) => {
        octets += length;
      });
      client.pause();
      await delay(1500);
      assert.equal(channel.stalledSinceMs, undefined, 'nobody tells any more whether it reads');
      client.resume();
      await over;
      void channel.close();
      await once(client, 'end');
      assert.equal(octets, answer.length);
    });
  }
});
