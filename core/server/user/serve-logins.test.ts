import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { z } from 'zod';

import { denied, granted, type LoginAttempt, unavailable, type Verdict } from '../../auth/login.ts';
import { type Core, createCore } from '../../core.ts';
import { loggerTo, type LogRecord } from '../../log/logger.ts';
import { definePlugin } from '../../plugin/plugin.ts';
import { Failure } from '../../protocol/failure.ts';
import { Secret } from '../../secret.ts';
import type { AuthorizationSession } from '../../session/session.ts';
import { defaultSettings } from '../../settings.ts';
import { memoryState } from '../../testing/memory-state.ts';
import { encodeFrame } from './frames.ts';
import { LoginClient } from './login-client.ts';
import { serveLogins } from './serve-logins.ts';
import { TicketRefused } from './ticket.ts';

const mrose = { user: 'mrose', uid: 1000, gid: 1000, home: '/home/mrose' };

describe('the process that checks passwords', () => {
  const server = createServer();
  const sockets = new Set<Socket>();
  server.listen(0, '127.0.0.1');
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  type Decide = (attempt: LoginAttempt, session: AuthorizationSession) => Promise<Verdict | undefined>;

  interface Asking {
    readonly front: Socket;
    readonly logins: LoginClient;
    readonly core: Core;
    readonly log: readonly LogRecord[];
    readonly served: Promise<void>;
  }

  const asking = async (decide: Decide): Promise<Asking> => {
    if (!server.listening) await once(server, 'listening');
    const log: LogRecord[] = [];
    const core = coreThat(decide, log);
    const address = server.address();
    const accepted = once(server, 'connection');
    const front = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1');
    const [stream] = await accepted;
    for (const socket of [front, stream]) sockets.add(socket);
    const served = serveLogins(stream, { core, seal });
    return { front, logins: new LoginClient(front), core, log, served };
  };

  test('lets a user in with a ticket for his connection, and with what plugins have set on the way', async () => {
    const { logins, core } = await asking(async ({ user, password }, { peer, claimedUser }) => {
      assert.deepEqual([user, claimedUser, peer.address], ['mrose', 'mrose', '192.0.2.1']);
      return Buffer.from(password.reveal()).toString() === 'white rabbit'
        ? granted(mrose)
        : denied('wrong password');
    });
    const session = sessionOf('c1');
    const { verdict, ticket } = await logins.decide(attempt(), session, { lang: 'de' });
    assert.ok(verdict?.kind === 'granted');
    assert.deepEqual(verdict.identity, mrose);
    assert.deepEqual(JSON.parse(ticket ?? ''), ['mrose', { lang: 'de' }, 'c1']);
    const wrong = await logins.decide(attempt('black rabbit'), session, core.facts.collect(session));
    assert.deepEqual(wrong, { verdict: denied('wrong password') });
  });

  test('gives no ticket for root, whichever plugin lets him in', async () => {
    const { logins } = await asking(async () => granted({ ...mrose, uid: 0 }));
    assert.deepEqual(await logins.decide(attempt(), sessionOf('c1'), {}), {
      verdict: denied('uid 0 is of the system'),
    });
  });

  test('says whose words are for the client, and keeps the rest for the log', async () => {
    const verdicts = [
      denied('not in .rhosts', 'Permission denied.'),
      unavailable(new Error('ldap: connect ECONNREFUSED')),
      unavailable(new Failure('the account has expired', { code: 'SYS/PERM' })),
      undefined,
    ];
    const { logins } = await asking(async () => verdicts.shift());
    assert.deepEqual(await ask(logins), denied('not in .rhosts', 'Permission denied.'));
    const [down, expired, unknown] = [await ask(logins), await ask(logins), await ask(logins)];
    assert.match(String(causeOf(down)), /ECONNREFUSED/);
    const failure = causeOf(expired);
    assert.ok(failure instanceof Failure && !(causeOf(down) instanceof Failure));
    assert.deepEqual([failure.message, failure.code], ['the account has expired', 'SYS/PERM']);
    assert.equal(unknown, undefined);
  });

  test('answers others while one plugin is slow, each with his own verdict', async () => {
    const { logins } = await asking(async ({ password }) => {
      const reason = Buffer.from(password.reveal()).toString();
      await delay(reason === 'slow' ? 60 : 0);
      return denied(reason);
    });
    const order: string[] = [];
    const asked = ['slow', ...Array.from({ length: 300 }, (_, index) => `fast ${index}`)].map(
      async (reason) => {
        const { verdict } = await logins.decide(attempt(reason), sessionOf(reason), {});
        assert.deepEqual(verdict, denied(reason));
        order.push(reason);
      },
    );
    await Promise.all(asked);
    assert.notEqual(order[0], 'slow');
  });

  test('learns that the client is gone while its password is looked at', async () => {
    const heard = Promise.withResolvers<void>();
    const { logins } = await asking(async (_attempt, { signal }) => {
      signal.addEventListener('abort', () => heard.resolve());
      await heard.promise;
      return denied('too late');
    });
    const client = new AbortController();
    const decided = logins.decide(attempt(), { ...sessionOf('c1'), signal: client.signal }, {});
    await delay(20);
    client.abort();
    await heard.promise;
    await decided;
  });

  test('that dies leaves nobody waiting, nor whoever asks after that', async () => {
    const { front, logins } = await asking(
      (_attempt, { signal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(denied('gone')))),
    );
    const decided = ask(logins);
    await delay(20);
    front.destroy();
    for (const verdict of [await decided, await ask(logins)])
      assert.match(String(causeOf(verdict)), /is not there/);
    await logins.ended;
  });

  for (const [what, octets] of [
    ['sends what is no question', encodeFrame({ kind: 'grant', request: 1, user: 'mrose' })],
    ['adds to a question', encodeFrame({ kind: 'gone', request: 1, verdict: 'granted' })],
    ['sends octets without end', Buffer.alloc(70_000, 0xff)],
  ] as const) {
    test(`does not listen any more to a front that ${what}`, async () => {
      const { front, log, served } = await asking(async () => granted(mrose));
      front.write(octets);
      await served;
      assert.equal(log.at(-1)?.message, 'a front talks nonsense, so it is not listened to any more');
    });
  }
});

/** What becomes of a login that is like many. */
const ask = async (logins: LoginClient): Promise<Verdict | undefined> =>
  (await logins.decide(attempt(), sessionOf('c1'), {})).verdict;

const attempt = (password = 'white rabbit'): LoginAttempt => ({
  method: 'password',
  user: 'mrose',
  password: new Secret(password),
});

/** No seal, but to be read. */
const seal = ({ user, uid }: { user: string; uid: number }, facts: object, connection: string): string => {
  if (uid === 0) throw new TicketRefused('uid 0 is of the system');
  return JSON.stringify([user, facts, connection]);
};

const causeOf = (verdict: Verdict | undefined): unknown =>
  verdict?.kind === 'unavailable' ? verdict.cause : undefined;

const sessionOf = (id: string): AuthorizationSession => ({
  id,
  peer: { address: '192.0.2.1', port: 4711 },
  local: { address: '192.0.2.2', port: 995 },
  secure: true,
  tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
  signal: new AbortController().signal,
  state: 'AUTHORIZATION',
  claimedUser: 'mrose',
});

function coreThat(
  decide: (attempt: LoginAttempt, session: AuthorizationSession) => Promise<Verdict | undefined>,
  log: LogRecord[],
): Core {
  const plugin = definePlugin({
    name: 'test-auth',
    options: z.strictObject({}),
    apply(popper) {
      popper.facts.add({ name: 'lang', schema: z.string() });
      popper.hooks.authenticate.tapPromise('test-auth', decide);
    },
  });
  const settings = { ...defaultSettings, stateDir: '/', listen: [] };
  return createCore([plugin()], {
    settings,
    log: loggerTo((record) => log.push(record)),
    state: memoryState(),
    baseFolder: '/',
  });
}
