import { createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto';

import { z } from 'zod';

import type { Ticket } from '../../session/authority.ts';

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
 * Seals a ticket with an Ed25519 key, as text. Throws a TypeError where the facts are no JSON, something has another
 * form than a ticket may have, or it is too large.
 */
export function sealTicket(
  { identity, facts }: Ticket,
  connection: string,
  { privateKey, nowMs }: { readonly privateKey: KeyObject; readonly nowMs: number },
): string {
  const issued = { connection, expiresAtMs: nowMs + ticketLifetimeMs, nonce: newNonce() };
  const text = textOf({ identity, facts, ...issued });
  const problem = readAs(text) === undefined ? 'it has not the form of a ticket' : undefined;
  if (problem !== undefined) throw new TypeError(`no ticket for ${identity.user}: ${problem}`);
  const octets = Buffer.from(text);
  const signature = sign(null, signedOctets(octets), privateKey);
  const sealed = Buffer.concat([signature, octets]).toString('base64url');
  if (sealed.length <= maxTicketLength) return sealed;
  throw new TypeError(`no ticket for ${identity.user}: its facts make it too large`);
}

/**
 * The ticket, if the key's owner has sealed it just so and it is still good, or was so not more than `graceMs` ago. Throws a
 * TicketRefused.
 */
export function openTicket(sealed: string, publicKey: KeyObject, nowMs: number, graceMs = 0): IssuedTicket {
  if (sealed.length > maxTicketLength) throw new TicketRefused('the ticket is too large');
  const octets = Buffer.from(sealed, 'base64url');
  // Buffer overlooks characters that do not belong there: the same ticket would have many forms.
  if (octets.toString('base64url') !== sealed) throw new TicketRefused('the ticket is no base64url');
  const content = octets.subarray(signatureOctets);
  if (!verify(null, signedOctets(content), publicKey, octets.subarray(0, signatureOctets))) {
    throw new TicketRefused('nobody who may has sealed this ticket');
  }
  const ticket = readAs(content.toString());
  if (ticket === undefined) throw new TicketRefused('what is sealed is no ticket');
  const leftMs = ticket.expiresAtMs - nowMs;
  if (leftMs + graceMs <= 0 || leftMs > ticketLifetimeMs) throw new TicketRefused('the ticket has expired');
  return ticket;
}

/** The key that tickets are checked with, as it is told: DER (SPKI), as base64. */
export const publicKeyOf = ({ publicKey }: { readonly publicKey: string }): KeyObject =>
  createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });

const signatureOctets = 64;
const newNonce = (): string => randomBytes(16).toString('base64url');

/** Whatever else is ever signed with the key can be taken for no ticket. */
const purpose = Buffer.from('popper ticket 1\0');
const signedOctets = (content: Uint8Array): Buffer => Buffer.concat([purpose, content]);

const id = z.int().min(0).max(0xfffffffe);
const path = z
  .string()
  .max(4096)
  .regex(/^\/[^\0]*$/);

const schema = z.strictObject({
  connection: z.string().min(1).max(128),
  expiresAtMs: z.int().min(0),
  nonce: z.string().regex(/^[\w-]{22}$/),
  identity: z.strictObject({ user: z.string().min(1).max(320), uid: id, gid: id, home: path }),
  facts: z.record(z.string(), z.json()),
});

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
