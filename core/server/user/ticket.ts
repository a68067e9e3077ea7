import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';

import { z } from 'zod';

import type { Ticket } from '../../session/authority.ts';
import type { Account } from './account.ts';

/** So long a ticket is good for, in milliseconds: the way from the password check to the worker, amply. */
export const ticketLifetimeMs = 10_000;
/** A sealed ticket may have so many characters. What plugins put into facts counts. */
export const maxTicketLength = 16 * 1024;

/** A ticket for one connection, to be used once. */
export interface IssuedTicket extends Ticket {
  /** The id of the connection whose client has logged in (`ConnectionFacts`). */
  readonly connection: string;
  /** On the clock of `monotonicMs`. */
  readonly expiresAtMs: number;
  /** 128 random bits, as text: what it is told apart by from every other ticket. */
  readonly nonce: string;
}

/** A ticket that is not believed. The message says why; it is for the log, never for the client. */
export class TicketRefused extends Error {}

/** Milliseconds on a clock that all processes of this machine share and that nobody sets. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);

/**
 * Seals a ticket (HMAC-SHA-256) by the key of its account, which is made of this one, and gives it as text: the account, the seal, the
 * ticket. Throws a TypeError where the facts are no JSON, something has another form than a ticket may have, or it is too large.
 */
export function sealTicket(
  { identity, facts }: Ticket,
  connection: string,
  { key, nowMs }: { readonly key: KeyObject; readonly nowMs: number },
): string {
  const issued = { connection, expiresAtMs: nowMs + ticketLifetimeMs, nonce: newNonce() };
  const text = textOf({ identity, facts, ...issued });
  const problem = readAs(text) === undefined ? 'it has not the form of a ticket' : undefined;
  if (problem !== undefined) throw new TypeError(`no ticket for ${identity.user}: ${problem}`);
  const octets = Buffer.from(text);
  const sealed = Buffer.concat([
    octetsOf(identity),
    sealOf(octets, accountKeyOf(identity, key)),
    octets,
  ]).toString('base64url');
  if (sealed.length <= maxTicketLength) return sealed;
  throw new TypeError(`no ticket for ${identity.user}: its facts make it too large`);
}

/** The keys of an account, any of which may have sealed for it; none where whoever asks may not look at what is its. */
export type KeysOf = (account: Account) => readonly KeyObject[];

/** When a ticket is looked at, and how much longer than its lifetime it may have taken to get there. */
export interface Clock {
  readonly nowMs: number;
  readonly lateMs?: number;
}

/**
 * The ticket, if somebody who has a key of its account has sealed it just so and it is still good. Throws a TicketRefused.
 */
export function openTicket(sealed: string, keysOf: KeysOf, { nowMs, lateMs = 0 }: Clock): IssuedTicket {
  if (sealed.length > maxTicketLength) throw new TicketRefused('the ticket is too large');
  const octets = Buffer.from(sealed, 'base64url');
  // Buffer overlooks characters that do not belong there: the same ticket would have many forms.
  if (octets.toString('base64url') !== sealed) throw new TicketRefused('the ticket is no base64url');
  const ticket = ticketIn(octets, keysOf);
  const leftMs = ticket.expiresAtMs - nowMs;
  if (leftMs <= -lateMs || leftMs > ticketLifetimeMs) throw new TicketRefused('the ticket has expired');
  return ticket;
}

function ticketIn(octets: Buffer, keysOf: KeysOf): IssuedTicket {
  if (octets.length < headOctets) throw new TicketRefused('the ticket is too short');
  const [uid, gid] = [octets.readUInt32BE(0), octets.readUInt32BE(idOctets)];
  const [seal, content] = [octets.subarray(2 * idOctets, headOctets), octets.subarray(headOctets)];
  const keys = keysOf({ uid, gid });
  if (keys.length === 0) throw new TicketRefused(`the ticket is for uid ${uid} and gid ${gid}`);
  if (!keys.some((key) => timingSafeEqual(sealOf(content, key), seal))) {
    throw new TicketRefused('nobody who may has sealed this ticket');
  }
  const ticket = readAs(content.toString());
  if (ticket?.identity.uid !== uid || ticket.identity.gid !== gid)
    throw new TicketRefused('what is sealed is no ticket');
  return ticket;
}

/** A new key, for whoever seals. */
export const newKey = (): KeyObject => createSecretKey(randomBytes(32));
/** A key as it is told to whoever checks: base64. */
export const toldKey = (key: KeyObject): string => key.export().toString('base64');
export const keyToldAs = (told: string): KeyObject => createSecretKey(Buffer.from(told, 'base64'));

/** What can check what is sealed for this account, and can seal for no other. */
export const accountKeyOf = (account: Account, key: KeyObject): KeyObject =>
  createSecretKey(createHmac('sha256', key).update(keyPurpose).update(octetsOf(account)).digest());

function octetsOf({ uid, gid }: Account): Buffer {
  const octets = Buffer.alloc(2 * idOctets);
  octets.writeUInt32BE(uid);
  octets.writeUInt32BE(gid, idOctets);
  return octets;
}

const idOctets = 4;
const headOctets = 2 * idOctets + 32;
const newNonce = (): string => randomBytes(16).toString('base64url');

/** Whatever else is ever sealed with a key can be taken for no ticket, and for no key. */
const purpose = 'popper ticket 3\0';
const keyPurpose = 'popper key of an account\0';
const sealOf = (content: Uint8Array, key: KeyObject): Buffer =>
  createHmac('sha256', key).update(purpose).update(content).digest();

const id = z.int().min(0).max(0xfffffffe);
const path = z
  .string()
  .max(4096)
  .regex(/^\/[^\0]*$/);

const schema = z.compile(
  z.strictObject({
    connection: z.string().min(1).max(128),
    expiresAtMs: z.int().min(0),
    nonce: z.string().regex(/^[\w-]{22}$/),
    identity: z.strictObject({ user: z.string().min(1).max(320), uid: id, gid: id, home: path }),
    // Whatever it is, it was read from JSON.
    facts: z.record(z.string(), z.unknown()),
  }),
);

/** One text for one ticket: the keys in this order, no white space. */
const textOf = ({ connection, expiresAtMs, nonce, identity, facts }: IssuedTicket): string =>
  JSON.stringify({
    connection,
    expiresAtMs,
    nonce,
    identity: { user: identity.user, uid: identity.uid, gid: identity.gid, home: identity.home },
    facts,
  });

/** The ticket that has exactly this text, or undefined. */
function readAs(text: string): IssuedTicket | undefined {
  try {
    const { success, data } = schema.safeParse(JSON.parse(text));
    return success && textOf(data) === text ? data : undefined;
  } catch {
    return undefined;
  }
}
