import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';

import type { CarriedConnectionFacts } from '../../core/server/user/connection-facts.ts';
import { StreamPairs } from '../../core/server/user/stream-pairs.ts';
import { monotonicMs, sealTicket } from '../../core/server/user/ticket.ts';
import { WorkerChild } from './support/children.ts';
import { alice, bob, Site, type User } from './support/site.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can start a process that becomes a user';

describe('the process of one user', { skip }, () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const key = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  const workers: WorkerChild[] = [];
  let site: Site;
  let pairs: StreamPairs;
  let worker: WorkerChild;

  before(async () => {
    site = await Site.make();
    await site.deliver(alice, 'From carol@example.org Mon Nov  2 10:00:00 2026\nSubject: x\n\nHello.\n\n');
    pairs = await StreamPairs.open(site.folder);
    worker = await become(alice);
  });
  after(async () => {
    for (const { process: child } of workers) child.kill('SIGKILL');
    await Promise.all(workers.map(({ exited }) => exited));
    pairs.close();
    await site.remove();
  });

  const become = async ({ uid, gid }: Pick<User, 'uid' | 'gid'>, idleMs?: number): Promise<WorkerChild> => {
    const started = new WorkerChild(site, idleMs);
    workers.push(started);
    await started.become({ uid, gid }, key);
    return started;
  };

  let count = 0;
  const newFacts = (): CarriedConnectionFacts => {
    count += 1;
    const peer = { address: '192.0.2.7', port: 4711 };
    return { id: `s-${count}`, peer, local: { address: '192.0.2.1', port: 110 }, secure: true };
  };

  const seal = (user: User, connection: string, { by = privateKey, agoMs = 0 } = {}): string => {
    const identity = { user: user.name, uid: user.uid, gid: user.gid, home: '/' };
    return sealTicket({ identity, facts: {} }, connection, { privateKey: by, nowMs: monotonicMs() - agoMs });
  };

  interface Begun {
    readonly facts: CarriedConnectionFacts;
    readonly stream: Socket;
    readonly outcome: ReturnType<WorkerChild['worker']['expected']>;
  }

  /** Hands a session over with a ticket that is made for it. */
  const begin = async (
    ticketFor: (connection: string) => string,
    by = worker,
    facts = newFacts(),
  ): Promise<Begun> => {
    const [ofWorker, stream] = await pairs.make();
    by.worker.expect(facts.id);
    const outcome = by.worker.expected(facts.id);
    await by.worker.serve(ticketFor(facts.id), facts, ofWorker);
    return { facts, stream, outcome };
  };

  /** What a client hears whose session is handed over like that, and what the session comes to. */
  const served = async (
    ...how: Parameters<typeof begin>
  ): Promise<{ heard: string; reason: string | undefined }> => {
    const { stream, outcome } = await begin(...how);
    stream.end('QUIT\r\n');
    const heard = await textOf(stream);
    return { heard, reason: (await outcome)?.failure?.reason };
  };

  const good = (connection: string): string => seal(alice, connection);

  test('serves a client whose login was right', async () => {
    const { heard } = await served(good);
    assert.equal(heard, '+OK maildrop has 1 message (22 octets)\r\n+OK bye\r\n');
  });

  for (const [what, reason, ticketFor] of [
    ['nobody has sealed', /no base64url/, () => 'let me in'],
    [
      'a taken-over front has sealed itself',
      /nobody who may/,
      (id: string) => seal(alice, id, { by: generateKeyPairSync('ed25519').privateKey }),
    ],
    // Longer ago than a place may be waited for, and a process loaded.
    ['has expired', /expired/, (id: string) => seal(alice, id, { agoMs: 10_000 + 70_000 })],
    ['is for another user', /for uid 2002/, (id: string) => seal(bob, id)],
    ['is for another group', /and gid 8/, (id: string) => seal({ ...alice, gid: 8 }, id)],
    ['was given to another connection', /another connection/, () => seal(alice, 'somebody-else')],
  ] as const) {
    test(`opens no mailbox for a ticket that ${what}`, async () => {
      const session = await served(ticketFor);
      assert.match(session.heard, /^-ERR \[SYS\/TEMP\] [^\r]*\r\n$/);
      assert.match(session.reason ?? '', reason);
    });
  }

  test('opens no mailbox for a ticket that has been used before', async () => {
    const facts = newFacts();
    const ticket = good(facts.id);
    assert.match((await served(() => ticket, worker, facts)).heard, /bye/);
    assert.match((await served(() => ticket, worker, facts)).reason ?? '', /used before/);
  });

  test('believes the key of the process that checks passwords now, and no longer that of the one before', async () => {
    const later = generateKeyPairSync('ed25519');
    const other = await become(alice);
    const exported = later.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
    other.worker.order({ kind: 'trust', publicKey: exported });
    assert.match((await served(good, other)).heard, /^-ERR/);
    assert.match((await served((id) => seal(alice, id, { by: later.privateKey }), other)).heard, /bye/);
  });

  test('offers its end when nobody has come for a while, and ends when its master says so', async () => {
    const { process: child, worker: idle, exited } = await become(alice, 50);
    await new Promise<void>((resolve) => {
      idle.idle = resolve;
    });
    assert.equal(child.exitCode, null);
    idle.order({ kind: 'retire' });
    await exited;
    assert.equal(child.exitCode, 0);
  });

  test('that retires ends with its last session', async () => {
    const retiring = await become(alice);
    const { stream, outcome } = await begin(good, retiring);
    await once(stream.resume(), 'data', { signal: AbortSignal.timeout(5000) });
    retiring.worker.order({ kind: 'retire' });
    stream.end('NOOP\r\nQUIT\r\n');
    assert.equal((await outcome)?.ending, 'quit');
    await retiring.exited;
    assert.equal(retiring.process.exitCode, 0);
  });

  test('ends a session that the operator does not want, with a word to the client', async () => {
    const { facts, stream, outcome } = await begin(good);
    await once(stream.resume(), 'data', { signal: AbortSignal.timeout(5000) });
    worker.worker.order({ kind: 'end', session: facts.id, how: 'kicked' });
    assert.match(await textOf(stream), /^-ERR \[SYS\/TEMP\] the operator/);
    stream.destroy();
    assert.equal((await outcome)?.ending, 'kicked');
  });

  test('ends when its master is gone, and its sessions with it', async () => {
    const orphan = await become(alice);
    const { stream } = await begin(good, orphan);
    await once(stream.resume(), 'data', { signal: AbortSignal.timeout(5000) });
    orphan.process.disconnect();
    assert.match(await textOf(stream), /^-ERR \[SYS\/TEMP\] the server is being stopped/);
    stream.destroy();
    await orphan.exited;
  });

  for (const [what, user] of [
    ['root', { uid: 0, gid: 0 }],
    ['an account of the system', { uid: 10, gid: 2001 }],
    ['a member of group mail', { uid: 2001, gid: 8 }],
  ] as const) {
    test(`does not begin as ${what}`, async () => {
      await assert.rejects(become(user), /worker \d+ has ended/);
    });
  }
});

async function textOf(stream: Socket): Promise<string> {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += String(chunk);
  });
  await once(stream.resume(), 'end', { signal: AbortSignal.timeout(5000) });
  return text;
}
