import { atDomain, plainAddress } from './addresses.ts';
import { Refused } from './refused.ts';
import type { Fault } from './transports/transport.ts';

/** Why nobody could send from this domain, which may be whatever the machine is called; undefined where users can. */
export function faultOfDomain(domain: string): Fault | undefined {
  try {
    plainAddress(atDomain('user', domain));
    return undefined;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return {
      kind: 'problem',
      what: `"${domain}" cannot stand behind the @ of an address, so no message is sent`,
      fix: 'set domain: example.org, as users and their recipients know it',
    };
  }
}
