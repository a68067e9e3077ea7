import type { Socket } from 'node:net';

import type { Core } from '../../core.ts';
import type { Authority } from '../../session/authority.ts';
import type { CarriedPem, Order } from '../ipc/messages.ts';
import type { OpenSessions } from '../open-sessions.ts';
import type { PemSource } from '../tls/served-certificate.ts';
import { LoginClient } from '../user/login-client.ts';
import { userAuthority } from '../user/user-authority.ts';
import { Assignments } from './assignments.ts';
import type { Superior } from './superior.ts';

/** The processes behind a front with `isolation: 'user'`, as the master makes them known to it. */
export class Behind {
  readonly #assignments: Assignments;
  readonly #first = Promise.withResolvers<LoginClient>();
  #latest: LoginClient | undefined;
  #pem: CarriedPem | undefined;
  #pemVersion = 0;

  constructor(master: Superior) {
    this.#assignments = new Assignments(master);
  }

  /** Resolves when there is somebody to check passwords. */
  async introduced(): Promise<void> {
    await this.#first.promise;
  }

  /** Does what an order says about others; ignores those that are about this front. */
  obey(order: Order, stream: Socket | undefined): void {
    if (order.kind === 'assigned') return this.#assignments.assigned(order, stream);
    if (order.kind === 'logins' && stream !== undefined) return this.#meet(stream);
    stream?.destroy();
    if (order.kind === 'unassigned') this.#assignments.unassigned(order);
    if (order.kind === 'stalled') this.#assignments.stalled(order);
    if (order.kind === 'ended') this.#assignments.ended(order);
    if (order.kind === 'certificate') this.learn(order.pem);
  }

  /** Certificate and key, as the master has read them. */
  learn(pem: CarriedPem | undefined): void {
    this.#pem = pem;
    this.#pemVersion += 1;
  }

  get pem(): PemSource {
    return {
      version: async () => String(this.#pemVersion),
      read: async () => {
        if (this.#pem === undefined) throw new TypeError('the master has sent no certificate');
        const { certificate, key } = this.#pem;
        return { certificate: Buffer.from(certificate, 'latin1'), key: Buffer.from(key, 'latin1') };
      },
      // The master, who may look at the file, says so.
      exposed: async () => undefined,
    };
  }

  authority(core: Core, sessions: OpenSessions): Authority {
    return userAuthority({
      core,
      logins: {
        decide: async (...asked) => (this.#latest ?? (await this.#first.promise)).decide(...asked),
      },
      assign: (ticket, facts, lent) => this.#assignments.assign(ticket, facts, lent),
      channelOf: (id) => sessions.get(id)?.channel,
    });
  }

  #meet(stream: Socket): void {
    this.#latest = new LoginClient(stream);
    this.#first.resolve(this.#latest);
  }
}
