import { inspect } from 'node:util';

/** A password or the like. Shows itself to nobody who does not ask by `reveal`: not to a log, an error or a dump. */
export class Secret {
  readonly #octets: Uint8Array;

  constructor(octets: Uint8Array | string) {
    this.#octets = typeof octets === 'string' ? Buffer.from(octets, 'latin1') : Uint8Array.from(octets);
  }

  /** The octets themselves, as the client sent them; zeroed once the login has been decided. */
  reveal(): Uint8Array {
    return this.#octets;
  }

  erase(): void {
    this.#octets.fill(0);
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
