import assert from 'node:assert/strict';
import { createHmac, type KeyObject } from 'node:crypto';
import { test } from 'node:test';

import * as fc from 'fast-check';

import type { Account } from './account.ts';
import { TicketGate } from './ticket-gate.ts';
import {
  accountKeyOf,
  keyToldAs,
  maxTicketLength,
  newKey,
  openTicket,
  sealTicket,
  ticketLifetimeMs,
  TicketRefused,
  toldKey,
} from './ticket.ts';

const key = newKey();
const identity = { user: 'mrose', uid: 1000, gid: 1000, home: '/home/mrose' };
const nowMs = 5000;
const sealed = sealTicket({ identity, facts: { utf8: true } }, 'c1', { key, nowMs });
const keysOf = (account: Account): KeyObject[] => [accountKeyOf(account, key)];
const gateAt = (clock: () => number, minUid = 1000): TicketGate =>
  new TicketGate(keysOf, { minUid, nowMs: clock, maxUsed: 3 });
const refused = (why: RegExp) => (error: unknown) =>
  error instanceof TicketRefused && why.test(error.message);

test('a ticket says who has logged in, on which connection, and what plugins want to outlive the login', () => {
  const { connection, identity: who, facts } = openTicket(sealed, keysOf, { nowMs: nowMs + 1 });
  assert.deepEqual({ connection, who, facts }, { connection: 'c1', who: identity, facts: { utf8: true } });
});

test('whatever identity and facts are sealed, the same come out', () => {
  const id = fc.integer({ min: 0, max: 0xfffffffe });
  const user = fc.string({ minLength: 1, maxLength: 64, unit: 'grapheme' });
  const home = fc.stringMatching(/^\/[\w/]{0,40}$/);
  // As `set` leaves them: JSON values under names that are words.
  const facts = fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/), fc.jsonValue({ maxDepth: 2 }), {
    maxKeys: 4,
  });
  const tickets = fc.record({ identity: fc.record({ user, uid: id, gid: id, home }), facts });
  fc.assert(
    fc.property(tickets, (ticket) => {
      // JSON has no negative zero and no sparse prototype.
      const plain: unknown = JSON.parse(JSON.stringify(ticket));
      const opened = openTicket(sealTicket(ticket, 'c1', { key, nowMs }), keysOf, { nowMs });
      assert.deepEqual({ identity: opened.identity, facts: opened.facts }, plain);
    }),
    { numRuns: 50 },
  );
});

test('a ticket in which any one character is changed, left out or added is refused', () => {
  const place = fc.nat(sealed.length - 1);
  const text = fc.string({ maxLength: 3, unit: 'binary-ascii' });
  fc.assert(
    fc.property(place, fc.nat(2), text, (index, removed, added) => {
      const changed = sealed.slice(0, index) + added + sealed.slice(index + removed);
      fc.pre(changed !== sealed);
      assert.throws(() => openTicket(changed, keysOf, { nowMs }), TicketRefused);
    }),
    { numRuns: 300 },
  );
});

test('whoever is told the key can check what it has sealed', () => {
  const told = keyToldAs(toldKey(key));
  assert.equal(openTicket(sealed, (account) => [accountKeyOf(account, told)], { nowMs }).connection, 'c1');
});

test('who has the key of one account can check what is sealed for that one, and seal for no other', () => {
  const own = accountKeyOf(identity, key);
  const isOwn = ({ uid, gid }: Account): boolean => uid === identity.uid && gid === identity.gid;
  const ofOwn = (account: Account): KeyObject[] => (isOwn(account) ? [own] : []);
  assert.equal(openTicket(sealed, ofOwn, { nowMs }).identity.user, 'mrose');
  for (const odd of [{ uid: 1001 }, { gid: 6 }]) {
    const another = { ...identity, ...odd };
    const forAnother = sealTicket({ identity: another, facts: {} }, 'c1', { key, nowMs });
    assert.throws(() => openTicket(forAnother, ofOwn, { nowMs }), refused(/for uid \d+ and gid \d+/));
    const text = JSON.stringify({ ...JSON.parse(textIn(sealed)), identity: another });
    for (const head of [identity, another])
      assert.throws(
        () => openTicket(signed(text, purpose, { by: own, head }), keysOf, { nowMs }),
        TicketRefused,
      );
  }
});

test('where there are two keys, either may have sealed it', () => {
  const keys = [newKey(), key].map((one) => accountKeyOf(identity, one));
  assert.ok(openTicket(sealed, () => keys, { nowMs }));
  assert.throws(() => openTicket(sealed, () => keys.slice(0, 1), { nowMs }), refused(/nobody who may/));
});

test('a ticket that another key has sealed is refused', () => {
  const other = newKey();
  const forged = sealTicket({ identity, facts: {} }, 'c1', { key: other, nowMs });
  assert.throws(() => openTicket(forged, keysOf, { nowMs }), refused(/nobody who may/));
});

test('what the right key has sealed for another purpose, or not in the one form a ticket has, is no ticket', () => {
  const text = textIn(sealed);
  assert.equal(openTicket(signed(text, purpose), keysOf, { nowMs }).connection, 'c1');
  assert.throws(() => openTicket(signed(text, ''), keysOf, { nowMs }), refused(/nobody who may/));
  for (const odd of [
    `${text} `,
    text.replace('"uid":1000', '"uid":0,"uid":1000'),
    text.replace('"uid":1000', '"uid":-1'),
    text.replace('"home":"/home/mrose"', '"home":"mrose"'),
    text.replace('{', '{"admin":true,'),
    text.replace('"facts":{', '"facts":{"__proto__":{"utf8":1},'),
    'null',
    '',
  ]) {
    assert.throws(() => openTicket(signed(odd, purpose), keysOf, { nowMs }), refused(/no ticket/), odd);
  }
});

const at = (ms: number, lateMs?: number) => () =>
  openTicket(sealed, keysOf, { nowMs: ms, ...(lateMs !== undefined && { lateMs }) });

test('a ticket is good for ten seconds, and one from the future is not good at all', () => {
  assert.ok(at(nowMs + ticketLifetimeMs - 1)());
  assert.throws(at(nowMs + ticketLifetimeMs), refused(/expired/));
  assert.throws(at(nowMs - 1), refused(/expired/));
  assert.ok(at(nowMs + ticketLifetimeMs + 99, 100)(), 'for who had to wait with it, it is so much longer');
  assert.throws(at(nowMs + ticketLifetimeMs + 100, 100), refused(/expired/));
});

test('a plugin whose facts are too large, or no JSON, costs the login and nothing else', () => {
  assert.throws(() => sealFacts({ essay: 'x'.repeat(maxTicketLength) }), TypeError);
  assert.throws(() => sealFacts({ big: 1n }), TypeError);
  assert.throws(() => openTicket('A'.repeat(maxTicketLength + 1), keysOf, { nowMs }), refused(/too large/));
});

test('a ticket is let through once', () => {
  const gate = gateAt(() => nowMs);
  assert.equal(gate.admit(sealed, 'c1').identity.user, 'mrose');
  assert.throws(() => gate.admit(sealed, 'c1'), refused(/used before/));
});

test('a ticket does not let another connection in, and is still good for its own', () => {
  const gate = gateAt(() => nowMs);
  assert.throws(() => gate.admit(sealed, 'c2'), refused(/another connection/));
  assert.ok(gate.admit(sealed, 'c1'));
});

test('root and the accounts of the system get no mail, whoever says they may', () => {
  for (const [uid, minUid] of [
    [0, 1000],
    [10, 11],
    [0, 0],
    [999, 1000],
  ] as const) {
    const ticket = sealTicket({ identity: { ...identity, uid }, facts: {} }, 'c1', { key, nowMs });
    assert.throws(() => gateAt(() => nowMs, minUid).admit(ticket, 'c1'), refused(/of the system/));
  }
  const ticket = sealTicket({ identity: { ...identity, uid: 1000 }, facts: {} }, 'c1', { key, nowMs });
  assert.ok(gateAt(() => nowMs).admit(ticket, 'c1'));
});

test('who shows more tickets than a gate can remember is refused until the old ones have expired', () => {
  let clockMs = nowMs;
  const gate = gateAt(() => clockMs);
  const show = () => gate.admit(sealTicket({ identity, facts: {} }, 'c1', { key, nowMs: clockMs }), 'c1');
  for (let shown = 0; shown < 3; shown += 1) show();
  assert.throws(show, refused(/too many/));
  clockMs += ticketLifetimeMs;
  assert.ok(show());
});

const purpose = 'popper ticket 3\0';
const textIn = (ticket: string): string => Buffer.from(ticket, 'base64url').subarray(40).toString();

/** Text under a seal: of the right key, unless another is given, for the account that stands at its head. */
const signed = (
  text: string,
  prefix: string,
  { by = accountKeyOf(identity, key), head = identity } = {},
): string => {
  const seal = createHmac('sha256', by)
    .update(prefix + text)
    .digest();
  const account = Buffer.alloc(8);
  account.writeUInt32BE(head.uid);
  account.writeUInt32BE(head.gid, 4);
  return Buffer.concat([account, seal, Buffer.from(text)]).toString('base64url');
};

const sealFacts = (facts: Record<string, unknown>) => sealTicket({ identity, facts }, 'c1', { key, nowMs });
