import { randomBytes } from 'node:crypto';

import { type Command, defineCommand, err, type Logger, Secret, type Session } from 'popperd';

import type { RpopAttempt } from './login-method.ts';
import { permissionDenied, type RpopLogins } from './rpop-logins.ts';

const refusal = err(permissionDenied);

/** RPOP user (RFC 1081): in the place of PASS, for a client whose machine is trusted. */
export function rpopCommand(logins: RpopLogins, log: Pick<Logger, 'warn'>): Command {
  const complaints = new Complaints(logins, log);
  return defineCommand({
    keyword: 'RPOP',
    states: ['AUTHORIZATION'],
    usage: 'RPOP user',
    parse: (args) => args.word(),

    async run(clientUser, session) {
      const { peer, claimedUser } = session;
      if (claimedUser === undefined) return err('USER first');
      if (!logins.hasLegalPort(peer) || !logins.isTrusted(peer)) {
        await complaints.about(session);
        return refusal;
      }
      const password = new Secret(randomBytes(32).toString('hex'));
      const attempt: RpopAttempt = { method: 'rpop', user: claimedUser, clientUser, password };
      return { kind: 'login', attempt };
    },
  });
}

type Stranger = Pick<Session, 'id' | 'peer' | 'signal'>;

/** Tells the log of clients from where none may come. */
class Complaints {
  readonly #logins: RpopLogins;
  readonly #log: Pick<Logger, 'warn'>;
  /** By their connections, each of which has one signal. */
  readonly #told = new WeakSet<AbortSignal>();

  constructor(logins: RpopLogins, log: Pick<Logger, 'warn'>) {
    this.#logins = logins;
    this.#log = log;
  }

  /** Once for each connection: its client may ask as often as it likes, and be refused at once. */
  async about({ id, peer, signal }: Stranger): Promise<void> {
    if (this.#told.has(signal)) return;
    this.#told.add(signal);
    const { address } = peer;
    if (this.#logins.hasLegalPort(peer)) {
      this.#log.warn('RPOP from a network that is not trusted', { session: id, address });
      return;
    }
    const [name = address] = await this.#logins.namesOf(peer, signal);
    // As one line, without fields: that is what is looked for.
    this.#log.warn(`RPOP command from ${name} (${address}) on illegal port.`);
  }
}
