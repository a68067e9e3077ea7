import { randomUUID } from 'node:crypto';

import { addressesIn, isSameAddress, readsOneWay } from './addresses.ts';
import { type Envelope, type Prefix, prefixOf, recipientsOf } from './envelope.ts';
import { type Field, headerText, parseHeader, valueOf } from './header.ts';
import { Refused } from './refused.ts';

/** What holds for one user's messages. */
export interface Rules {
  /** The user's own address. */
  readonly own: string;
  /** Whom mail goes back to. */
  readonly sender: string;
  readonly domain: string;
  readonly forgedFrom: 'mark' | 'refuse' | 'accept';
  readonly maxRecipients: number;
}

/** The header as it is sent on, lines ended by LF, without the empty line. */
export interface OutgoingHeader {
  readonly text: string;
  readonly envelope: Envelope;
}

/**
 * Reads the envelope from a header and makes it one to be sent: Bcc is gone, what a message has to have is there (RFC 6409
 * section 8), and who has sent it can be seen. Throws a Refused where it is not sent at all.
 */
export function outgoingHeader(header: string, rules: Rules, now: Date): OutgoingHeader {
  const fields = parseHeader(header);
  const prefix = prefixOf(fields);
  const to = recipientsOf(fields, rules);
  const kept = signed(
    fields.filter(({ name }) => !notForRecipients.has(name)),
    prefix,
    rules,
  );
  return {
    text: headerText([...added(kept, prefix, { rules, now }), ...kept]),
    envelope: { from: rules.sender, to },
  };
}

/** Return-Path is for the last mailer to write. */
const notForRecipients = new Set(['bcc', 'resent-bcc', 'return-path']);

/** RFC 5322 section 3.6.2: where it was not the author who has sent it, Sender says who was. */
function signed(
  fields: readonly Field[],
  prefix: Prefix,
  { own, domain, forgedFrom }: Rules,
): readonly Field[] {
  if (forgedFrom === 'accept') return fields;
  const isForged = (wheres: readonly Prefix[]): boolean =>
    fields
      .filter(({ name }) => wheres.some((where) => name === `${where}from` || name === `${where}sender`))
      .some((field) => !namesOnly(own, field, domain));
  // Readers see From, whatever Resent-From says: sending again is no way round.
  if (forgedFrom === 'refuse' && isForged(['', 'resent-'])) throw new Refused(`From is to be ${own}`);
  if (!isForged([prefix])) return fields;
  const senderField = { name: `${prefix}sender`, text: `${prefix === '' ? '' : 'Resent-'}Sender: ${own}` };
  return [senderField, ...fields.filter(({ name }) => name !== `${prefix}sender`)];
}

/** More than any name and address, and little enough to be read at once. */
const maxAuthorOctets = 4096;

function namesOnly(own: string, field: Field, domain: string): boolean {
  try {
    const value = valueOf(field);
    if (value.length > maxAuthorOctets) return false;
    const addresses = addressesIn(value, domain);
    const isOwn = addresses.length > 0 && addresses.every((address) => isSameAddress(address, own));
    return isOwn && readsOneWay(value, addresses.length);
  } catch (error) {
    // Mail comes from stranger addresses than any that it may be sent to.
    if (error instanceof Refused) return false;
    throw error;
  }
}

/** What is missing. */
function added(
  fields: readonly Field[],
  prefix: Prefix,
  { rules, now }: { readonly rules: Rules; readonly now: Date },
): readonly { readonly text: string }[] {
  const date = now.toUTCString().replace('GMT', '+0000');
  return [
    { name: 'From', value: rules.own },
    { name: 'Date', value: date },
    { name: 'Message-ID', value: `<${randomUUID()}@${rules.domain}>` },
  ]
    .filter(({ name }) => !fields.some((field) => field.name === `${prefix}${name.toLowerCase()}`))
    .map(({ name, value }) => ({ text: `${prefix === '' ? '' : 'Resent-'}${name}: ${value}` }));
}
