import { addressesIn } from './addresses.ts';
import { type Field, valueOf } from './header.ts';
import { Refused } from './refused.ts';

/** Who gets the message and whom it goes back to (RFC 5321 section 2.3.1). */
export interface Envelope {
  readonly from: string;
  readonly to: readonly string[];
}

/** `resent-` where the message is sent again by somebody else (RFC 5322 section 3.6.6), for then only these fields count. */
export type Prefix = '' | 'resent-';

export const prefixOf = (fields: readonly Field[]): Prefix =>
  fields.some(({ name }) => recipientFields.some((field) => name === `resent-${field}`)) ? 'resent-' : '';

/** Whoever stands in To, Cc and Bcc, each once. Throws a Refused where that is nobody or more than may be. */
export function recipientsOf(
  fields: readonly Field[],
  { domain, maxRecipients }: { readonly domain: string; readonly maxRecipients: number },
): readonly string[] {
  const prefix = prefixOf(fields);
  const names = recipientFields.map((field) => `${prefix}${field}`);
  const values = fields.filter(({ name }) => names.includes(name)).map(valueOf);
  const octets = values.reduce((sum, { length }) => sum + length, 0);
  const maxOctets = Math.max(leastOctets, maxRecipients * mailboxOctets);
  // Nobody else is served while they are read.
  if (octets > maxOctets)
    throw new Refused(`the recipients take too much room: ${octets} octets, where ${maxOctets} may be`);
  const found = values.flatMap((value) => addressesIn(value, domain));
  const recipients = [...new Set(found)];
  if (recipients.length === 0)
    throw new Refused('the message has no recipients: there is none in To, Cc and Bcc');
  if (recipients.length > maxRecipients)
    throw new Refused(`too many recipients: ${recipients.length}, where ${maxRecipients} may be`);
  return recipients;
}

/** A long address and a name; of a few recipients each may have a longer one. */
const mailboxOctets = 320;
const leastOctets = 4096;

const recipientFields = ['to', 'cc', 'bcc'];
