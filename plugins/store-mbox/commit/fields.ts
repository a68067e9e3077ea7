import { hash } from 'node:crypto';

/** Puts numbers and octets one behind the other, big-endian. Numbers are whole and not negative. */
export class FieldWriter {
  readonly #octets: Buffer;
  #position = 0;

  constructor(octets: number) {
    this.#octets = Buffer.alloc(octets);
  }

  /** What was put so far. */
  get written(): Buffer {
    return this.#octets.subarray(0, this.#position);
  }

  /** The whole room, zeros behind what was put. */
  get padded(): Buffer {
    return this.#octets;
  }

  octet(value: number): this {
    this.#position = this.#octets.writeUInt8(value, this.#position);
    return this;
  }

  number(value: number | bigint): this {
    this.#position = this.#octets.writeBigUInt64BE(BigInt(value), this.#position);
    return this;
  }

  octets(value: Uint8Array): this {
    this.#octets.set(value, this.#position);
    this.#position += value.length;
    return this;
  }

  /** Seven bits an octet, lowest first: a journal of a million messages stays small. */
  short(value: number): this {
    let rest = value;
    while (rest > 127) {
      this.octet((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    return this.octet(rest);
  }
}

/** Takes what FieldWriter put. Throws RangeError where the octets end too early or hold a number too large. */
export class FieldReader {
  readonly #octets: Buffer;
  #position = 0;

  constructor(octets: Uint8Array) {
    this.#octets = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  }

  /** What was taken so far. */
  get taken(): Buffer {
    return this.#octets.subarray(0, this.#position);
  }

  octet(): number {
    const value = this.#octets.readUInt8(this.#position);
    this.#position += 1;
    return value;
  }

  bigNumber(): bigint {
    const value = this.#octets.readBigUInt64BE(this.#position);
    this.#position += 8;
    return value;
  }

  number(): number {
    return safe(Number(this.bigNumber()));
  }

  octets(count: number): Buffer {
    if (this.#position + count > this.#octets.length) throw new RangeError('the octets end too early');
    const value = this.#octets.subarray(this.#position, this.#position + count);
    this.#position += count;
    return value;
  }

  short(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const octet = this.octet();
      value = safe(value + (octet & 127) * scale);
      if (octet < 128) return value;
    }
  }
}

/** SHA-256, 32 octets. */
export function digestOf(octets: Uint8Array): Buffer {
  return hash('sha256', octets, 'buffer');
}

function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError('the number is too large');
  return value;
}
