import assert from 'node:assert/strict';
import { createHmac, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';

import type { CarriedConnectionFacts } from '../../core/server/user/connection-facts.ts';
import { StreamPairs } from '../../core/server/user/stream-pairs.ts';
import {
  accountKeyOf,
  monotonicMs,
  newKey,
  sealTicket,
  ticketLifetimeMs,
  toldKey,
} from '../../core/server/user/ticket.ts';
import type { Ticket } from '../../core/session/authority.ts';
import { WorkerChild } from './support/children.ts';
import { alice, bob, Site, type User } from './support/site.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can start a process that becomes a user';

/** What is sealed for this connection where the key is that of the process that checks passwords. */
type Seal = (ticket: Ticket, connection: string, key: KeyObject) => string;
const sealed: Seal = (ticket, connection, key) =>
  sealTicket(ticket, connection, { key, nowMs: monotonicMs() });
const sealedByNobody: Seal = (ticket, connection) => sealed(ticket, connection, newKey());
/** With the one key that alice's process has, in the form of a ticket of hers. */
const sealedByOwnKey: Seal = (ticket, connection, key) => {
  const octets = Buffer.from(sealed(ticketOf(alice), connection, key), 'base64url');
  const { user, uid, gid, home } = ticket.identity;
  const identity = JSON.stringify({ user, uid, gid, home });
  const text = octets.subarray(40).toString();
  const forged = Buffer.from(text.replace(/(?<="identity":)\{[^}]*\}/, identity));
  const seal = createHmac('sha256', accountKeyOf(alice, key)).update('popper ticket 3\0').update(forged);
  return Buffer.concat([octets.subarray(0, 8), seal.digest(), forged]).toString('base64url');
};
const sealedForAnother: Seal = (ticket, _, key) => sealed(ticket, 's-0', key);
const sealedLongAgo: Seal = (ticket, connection, key) =>
  sealTicket(ticket, connection, { key, nowMs: monotonicMs() - ticketLifetimeMs });

const told = (...keys: readonly KeyObject[]): string[] =>
  keys.map((key) => toldKey(accountKeyOf(alice, key)));

describe('the process of one user', { skip }, () => {
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

  const become = async (
    { uid, gid }: Pick<User, 'uid' | 'gid'>,
    idleMs?: number,
    endingMs?: number,
  ): Promise<WorkerChild> => {
    const started = new WorkerChild(site, idleMs, endingMs);
    workers.push(started);
    await started.become({ uid, gid });
    return started;
  };

  let count = 0;
  const newFacts = (): CarriedConnectionFacts => {
    count += 1;
    const peer = { address: '192.0.2.7', port: 4711 };
    return { id: `s-${count}`, peer, local: { address: '192.0.2.1', port: 110 }, secure: true };
  };

  interface Begun {
    readonly facts: CarriedConnectionFacts;
    readonly stream: Socket;
    readonly outcome: ReturnType<WorkerChild['worker']['expected']>;
  }

  /** Hands a session over, with this ticket, as `seal` seals it. */
  const begin = async (ticket: Ticket, by = worker, seal: Seal = sealed): Promise<Begun> => {
    const facts = newFacts();
    const [ofWorker, stream] = await pairs.make();
    by.worker.expect(facts.id);
    const outcome = by.worker.expected(facts.id);
    await by.worker.serve(seal(ticket, facts.id, by.key), facts, ofWorker);
    return { facts, stream, outcome };
  };

  /** What a client hears whose session is handed over like that, and what the session comes to. */
  const served = async (
    ticket: Ticket,
    seal?: Seal,
  ): Promise<{ heard: string; reason: string | undefined }> => {
    const { stream, outcome } = await begin(ticket, worker, seal);
    stream.end('QUIT\r\n');
    const heard = await textOf(stream);
    return { heard, reason: (await outcome)?.failure?.reason };
  };

  test('serves a client whose login was right', async () => {
    const { heard } = await served(ticketOf(alice));
    assert.equal(heard, '+OK maildrop has 1 message (22 octets)\r\n+OK bye\r\n');
  });

  const oldOne = new Map<Ticket, string>();
  const sameAgain: Seal = (ticket, connection, key) => {
    const text = oldOne.get(ticket) ?? sealed(ticket, connection, key);
    oldOne.set(ticket, text);
    return text;
  };

  test('could make a ticket for the user that it is already', async () => {
    assert.match((await served(ticketOf(alice), sealedByOwnKey)).heard, /^\+OK /);
  });

  test('believes a ticket once', async () => {
    const ticket = ticketOf(alice);
    assert.match((await served(ticket, sameAgain)).heard, /^\+OK /);
    count -= 1;
    const { heard, reason } = await served(ticket, sameAgain);
    assert.match(heard, /^-ERR \[SYS\/TEMP\] [^\r]*\r\n$/);
    assert.match(reason ?? '', /used before/);
  });

  test('believes who checks passwords from now on, and the one before no longer than it is told to', async () => {
    const newer = newKey();
    const other = await become(alice);
    other.worker.trust(told(newer, other.key));
    const onItsWay = await begin(ticketOf(alice), other);
    onItsWay.stream.end('QUIT\r\n');
    assert.match(await textOf(onItsWay.stream), /^\+OK /);
    other.worker.trust(told(newer, newKey()));
    const { stream } = await begin(ticketOf(alice), other);
    assert.match(await textOf(stream), /^-ERR \[SYS\/TEMP\] /);
    const again = await begin(ticketOf(alice), other, (ticket, id) => sealed(ticket, id, newer));
    again.stream.end('QUIT\r\n');
    assert.match(await textOf(again.stream), /^\+OK /);
  });

  for (const [what, reason, user, seal] of [
    ['another user', /for uid 2002 and/, bob, sealed],
    ['another group', /and gid 8/, { ...alice, gid: 8 }, sealed],
    ['a ticket that somebody else has sealed', /nobody who may/, alice, sealedByNobody],
    ['a ticket that it could make itself for another user', /no ticket/, bob, sealedByOwnKey],
    ['or for another group', /no ticket/, { ...alice, gid: 8 }, sealedByOwnKey],
    ['a ticket of another connection', /for another connection/, alice, sealedForAnother],
    ['a ticket that has expired', /expired/, alice, sealedLongAgo],
  ] as const) {
    test(`opens no mailbox for ${what}, though its own master says so`, async () => {
      const session = await served(ticketOf(user), seal);
      assert.match(session.heard, /^-ERR \[SYS\/TEMP\] [^\r]*\r\n$/);
      assert.match(session.reason ?? '', reason);
    });
  }

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

  test('that is to retire and does nothing is ended in the end', async () => {
    const stuck = await become(alice, undefined, 100);
    stuck.process.kill('SIGSTOP');
    stuck.worker.retire();
    await stuck.exited;
    assert.equal(stuck.process.signalCode, 'SIGKILL');
  });

  test('that retires ends with its last session', async () => {
    const retiring = await become(alice);
    const { stream, outcome } = await begin(ticketOf(alice), retiring);
    await once(stream.resume(), 'data', { signal: AbortSignal.timeout(5000) });
    retiring.worker.order({ kind: 'retire' });
    stream.end('NOOP\r\nQUIT\r\n');
    assert.equal((await outcome)?.ending, 'quit');
    await retiring.exited;
    assert.equal(retiring.process.exitCode, 0);
  });

  test('ends a session that the operator does not want, with a word to the client', async () => {
    const { facts, stream, outcome } = await begin(ticketOf(alice));
    await once(stream.resume(), 'data', { signal: AbortSignal.timeout(5000) });
    worker.worker.order({ kind: 'end', session: facts.id, how: 'kicked' });
    assert.match(await textOf(stream), /^-ERR \[SYS\/TEMP\] the operator/);
    stream.destroy();
    assert.equal((await outcome)?.ending, 'kicked');
  });

  test('ends when its master is gone, and its sessions with it', async () => {
    const orphan = await become(alice);
    const { stream } = await begin(ticketOf(alice), orphan);
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

/** What the master has found in the ticket of this user. */
const ticketOf = ({ name, uid, gid }: User): Ticket => ({
  identity: { user: name, uid, gid, home: '/' },
  facts: {},
});

async function textOf(stream: Socket): Promise<string> {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += String(chunk);
  });
  await once(stream.resume(), 'end', { signal: AbortSignal.timeout(5000) });
  return text;
}
