import type { Settings } from '../settings.ts';

/** Counts connections, in all and by address. */
export class Limits {
  readonly #limits: Settings['limits'];
  readonly #byAddress = new Map<string, number>();
  #all = 0;

  constructor(limits: Settings['limits']) {
    this.#limits = limits;
  }

  /** Lets one more connection in and gives what is to be called at its end; undefined where there are too many. */
  admit(address: string): (() => void) | undefined {
    const { connections, connectionsPerAddress } = this.#limits;
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (this.#all >= connections || ofAddress >= connectionsPerAddress) return undefined;
    this.#all += 1;
    this.#byAddress.set(address, ofAddress + 1);
    return () => this.#leave(address);
  }

  #leave(address: string): void {
    this.#all -= 1;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }
}
