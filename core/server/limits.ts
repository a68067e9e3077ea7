import type { Settings } from '../settings.ts';
import { networkOf } from './address.ts';

/** Counts connections: in all, and by address as `networkOf` tells clients apart. */
export class Limits {
  readonly #limits: Settings['limits'];
  readonly #byNetwork = new Map<string, number>();
  #all = 0;

  constructor(limits: Settings['limits']) {
    this.#limits = limits;
  }

  /** Lets one more connection in and gives what is to be called at its end; undefined where there are too many. */
  admit(address: string): (() => void) | undefined {
    const { connections, connectionsPerAddress } = this.#limits;
    if (this.#all >= connections) return undefined;
    const network = networkOf(address);
    if (network !== undefined) {
      const ofNetwork = this.#byNetwork.get(network) ?? 0;
      if (ofNetwork >= connectionsPerAddress) return undefined;
      this.#byNetwork.set(network, ofNetwork + 1);
    }
    this.#all += 1;
    return () => this.#leave(network);
  }

  #leave(network: string | undefined): void {
    this.#all -= 1;
    if (network === undefined) return;
    const left = (this.#byNetwork.get(network) ?? 1) - 1;
    if (left === 0) this.#byNetwork.delete(network);
    else this.#byNetwork.set(network, left);
  }
}
