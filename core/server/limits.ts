import type { Settings } from '../settings.ts';
import { clientOf, networkOf } from './address.ts';
import { type Crowds, crowdsBy } from './crowds.ts';
import { frontCount } from './front-count.ts';
import { Quota } from './quota.ts';

type Leave = () => void;

/** Processes that have limits together. */
interface Sharing {
  readonly processes: number;
  /** Whether they count users so, too. Else somebody else does who sees all of them. */
  readonly ofUsers: boolean;
}

/** The limits of all fronts. With `isolation: 'user'` the master sees each login, and counts users itself. */
export const limitsOfFronts = (settings: Settings): Limits =>
  new Limits(settings.limits, {
    processes: frontCount(settings),
    ofUsers: settings.isolation === 'none',
  });

/**
 * Counts connections by who they are from, by address as `clientOf` tells clients apart and by network, and sessions by user. Where
 * other processes do so too, each tells who has many, and nobody is refused for what others have before they have been asked again.
 */
export class Limits {
  readonly #quotas: Readonly<Record<keyof Crowds, Quota>>;
  #look: (() => Promise<void>) | undefined;

  /** `sharing`: the processes that have them together, if there are several. */
  constructor(limits: Settings['limits'], sharing?: Sharing) {
    const { connectionsPerAddress, connectionsPerNetwork = Infinity, sessionsPerUser = Infinity } = limits;
    const shared = (limit: number): Quota =>
      new Quota(limit, sharing && { worthTelling: partOf(limit, sharing.processes) });
    this.#quotas = {
      addresses: shared(connectionsPerAddress),
      networks: shared(connectionsPerNetwork),
      users: sharing?.ofUsers === true ? shared(sessionsPerUser) : new Quota(sessionsPerUser),
    };
  }

  /** Lets one more connection in and gives what is to be called at its end; undefined where there are too many. */
  admit(address: string): Leave | undefined {
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

  /**
   * Where one was refused for what others had when they told: asks them, and tries again. Undefined where nobody is to be asked, because
   * he has too many here, or as many of his wait for an answer as there could be room for.
   */
  admitAfterLook(address: string): Promise<Leave | undefined> | undefined {
    const { addresses, networks } = this.#quotas;
    const [client, network] = [clientOf(address), networkOf(address)];
    if (this.#look === undefined) return undefined;
    if (!addresses.mightHave(client) || !networks.mightHave(network)) return undefined;
    if (!addresses.isContested(client) && !networks.isContested(network)) return undefined;
    return this.#admitAfter(this.#look(), address);
  }

  async #admitAfter(look: Promise<void>, address: string): Promise<Leave | undefined> {
    const { addresses, networks } = this.#quotas;
    const waited = [addresses.awaited(clientOf(address)), networks.awaited(networkOf(address))];
    await look;
    for (const over of waited) over();
    return this.admit(address);
  }

  /** The same for a session of a user who has proved who it is. */
  async admitUser(user: string): Promise<Leave | undefined> {
    const { users } = this.#quotas;
    const leave = users.take(user);
    if (leave !== undefined || this.#look === undefined) return leave;
    if (!users.mightHave(user) || !users.isContested(user)) return undefined;
    await this.#look();
    return users.take(user);
  }

  /**
   * `tell` is called when the others have to hear soon of somebody who has many. `look` has all of them tell, and resolves when that has
   * been heard, or takes too long.
   */
  shareBy({ tell, look }: { readonly tell: () => void; readonly look: () => Promise<void> }): void {
    for (const quota of Object.values(this.#quotas)) quota.grown = tell;
    this.#look = look;
  }

  /** What the others have to know. */
  tell(): Crowds {
    return crowdsBy((kind) => this.#quotas[kind].tell());
  }

  /** What the others have told, put together. */
  hear(elsewhere: Crowds): void {
    const { addresses, networks, users } = this.#quotas;
    addresses.hear(elsewhere.addresses);
    networks.hear(elsewhere.networks);
    users.hear(elsewhere.users);
  }
}

/**
 * Of so many of a limit the others have to know: a quarter of what there would be for each process. One alone is worth telling of where the
 * limit is small.
 */
const partOf = (limit: number, processes: number): number =>
  Math.max(limit < smallLimit ? 1 : 2, Math.floor(limit / (4 * processes)));
const smallLimit = 8;
