import type { Settings } from '../settings.ts';
import { clientOf, networkOf } from './address.ts';
import { Quota } from './quota.ts';

/** Counts connections by who they are from: by address as `clientOf` tells clients apart, and by network. */
export class Limits {
  readonly #ofAddress: Quota;
  readonly #ofNetwork: Quota;

  constructor({ connectionsPerAddress, connectionsPerNetwork = Infinity }: Settings['limits']) {
    this.#ofAddress = new Quota(connectionsPerAddress);
    this.#ofNetwork = new Quota(connectionsPerNetwork);
  }

  /** Lets one more connection in and gives what is to be called at its end; undefined where there are too many. */
  admit(address: string): (() => void) | undefined {
    const leaveAddress = this.#ofAddress.take(clientOf(address));
    if (leaveAddress === undefined) return undefined;
    const leaveNetwork = this.#ofNetwork.take(networkOf(address));
    if (leaveNetwork === undefined) {
      leaveAddress();
      return undefined;
    }
    return () => {
      leaveAddress();
      leaveNetwork();
    };
  }
}
