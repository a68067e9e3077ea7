import addressparser from 'nodemailer/lib/addressparser';

import { Refused } from './refused.ts';

/**
 * The addresses in a field's value, groups resolved. A name alone gets the domain. Throws a Refused for whatever is not plainly
 * an address: it goes on a mailer's command line and into SMTP.
 */
export function addressesIn(value: string, domain: string): readonly string[] {
  if (control.test(value)) throw new Refused('a control character stands among the addresses');
  return addressparser(value, { flatten: true })
    .filter(({ address, name }) => address !== '' || name !== '')
    .map(({ address, name }) => plainAddress(address === '' ? atDomain(name, domain) : address));
}

/** The name as an address; one that has a domain keeps it. */
export const atDomain = (name: string, domain: string): string =>
  name.includes('@') ? name : `${name}@${domain}`;

/** Same mailbox, as far as this side can tell. */
export const isSameAddress = (one: string, other: string): boolean =>
  one.toLowerCase() === other.toLowerCase();

/**
 * Whether every program finds these addresses in the value, so many as there are: `<own@here> other@there` is the one to some and
 * the other to others. Strange nestings of quotes and comments are left to nobody's judgement.
 */
export function readsOneWay(value: string, addressCount: number): boolean {
  const bare = value.replaceAll(/"(?:[^"\\]|\\[^])*"|\([^()"\\]*\)/g, ' ');
  return !/["()\\]/.test(bare) && bare.split('@').length - 1 <= addressCount;
}

// oxlint-disable-next-line no-control-regex -- it is these that are looked for
const control = /[\0-\x08\x0a-\x1f\x7f]/;

/**
 * A dot-atom on the left (RFC 5322 section 3.2.3), so nothing quoted, and letters and digits on the right. In front there is no `-`,
 * which makes an option of it, and neither `|` nor `/`, which some mailers take for a program and a file.
 */
const plainForm =
  /^(?![-|/])[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/;

/** The address, where it is one that can go anywhere; throws a Refused otherwise. */
export function plainAddress(address: string): string {
  const [local = ''] = address.split('@', 1);
  if (address.length <= 254 && local.length <= 64 && plainForm.test(address)) return address;
  throw new Refused(`"${shown(address)}" is no address that mail can be sent to from here`);
}

/** One word, as the answer stands in the log: what a client calls an address is not to look like a line of that. */
const shown = (address: string): string => address.slice(0, 100).replaceAll(/[^!-~]/g, '?');
