import type { Settings } from '../settings.ts';
import { clientOf, networkOf } from './address.ts';
import { type Crowds, crowdsBy } from './crowds.ts';
import { Quota } from './quota.ts';

interface Sharing {
  /** Processes that have these limits together. */
  readonly processes: number;
  /** Whether they count users so, too. Else somebody else does who sees all of them. */
  readonly ofUsers: boolean;
}

const alone: Sharing = { processes: 1, ofUsers: false };

/**
 * Counts connections by who they are from, by address as `clientOf` tells clients apart and by network, and sessions by user. Where other processes do so
 * too, each tells who has many: the limits are for all of them together, but for what comes faster than the word goes round, and for
 * the quarter of a limit that one may have without the others' knowing of it.
 */
export class Limits {
  readonly #quotas: Readonly<Record<keyof Crowds, Quota>>;

  constructor(limits: Settings['limits'], { processes, ofUsers }: Sharing = alone) {
    const { connectionsPerAddress, connectionsPerNetwork = Infinity, sessionsPerUser = Infinity } = limits;
    const share = (limit: number): number => Math.max(1, Math.floor(limit / (4 * processes)));
    const shared = (limit: number): Quota => new Quota(limit, processes === 1 ? Infinity : share(limit));
    this.#quotas = {
      addresses: shared(connectionsPerAddress),
      networks: shared(connectionsPerNetwork),
      users: ofUsers ? shared(sessionsPerUser) : new Quota(sessionsPerUser),
    };
  }

  /** Lets one more connection in and gives what is to be called at its end; undefined where there are too many. */
  admit(address: string): (() => void) | undefined {
    const { addresses, networks } = this.#quotas;
    const leaveAddress = addresses.take(clientOf(address));
    if (leaveAddress === undefined) return undefined;
    const leaveNetwork = networks.take(networkOf(address));
    if (leaveNetwork === undefined) {
      leaveAddress();
      return undefined;
    }
    return () => {
      leaveAddress();
      leaveNetwork();
    };
  }

  /** The same for a session of a user who has proved who it is. */
  admitUser(user: string): (() => void) | undefined {
    return this.#quotas.users.take(user);
  }

  /** `tell` is called when the others have to hear soon of somebody who has many. */
  whenCrowded(tell: () => void): void {
    for (const quota of Object.values(this.#quotas)) quota.grown = tell;
  }

  /** What the others have to know. */
  tell(): Crowds {
    return crowdsBy((kind) => this.#quotas[kind].tell());
  }

  /** What the others have told, put together. */
  hear(elsewhere: Crowds): void {
    this.#quotas.addresses.hear(elsewhere.addresses);
    this.#quotas.networks.hear(elsewhere.networks);
    this.#quotas.users.hear(elsewhere.users);
  }
}
