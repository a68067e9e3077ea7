import { randomBytes } from 'node:crypto';

import { type Command, defineCommand, err, type Logger, Secret } from 'popperd';

import type { RpopAttempt } from './login-method.ts';
import type { RpopLogins } from './rpop-logins.ts';

const refusal = err('Permission denied.');

/** RPOP user (RFC 1081): in the place of PASS, for a client whose machine is trusted. */
export const rpopCommand = (logins: RpopLogins, log: Pick<Logger, 'warn'>): Command =>
  defineCommand({
    keyword: 'RPOP',
    states: ['AUTHORIZATION'],
    usage: 'RPOP user',
    parse: (args) => args.word(),

    async run(clientUser, { id, peer, claimedUser, signal }) {
      if (claimedUser === undefined) return err('USER first');
      if (!logins.hasLegalPort(peer)) {
        const [name = peer.address] = await logins.namesOf(peer, signal);
        // As one line, without fields: that is what is looked for.
        log.warn(`RPOP command from ${name} (${peer.address}) on illegal port.`);
        return refusal;
      }
      if (!logins.isTrusted(peer)) {
        log.warn('RPOP from a network that is not trusted', { session: id, address: peer.address });
        return refusal;
      }
      const password = new Secret(randomBytes(32).toString('hex'));
      const attempt: RpopAttempt = { method: 'rpop', user: claimedUser, clientUser, password };
      return { kind: 'login', attempt };
    },
  });
