import { BufferPool } from 'popperd';

/** Memory that is lent, and used again by others afterwards. */
export interface Room {
  /** As long as was asked for; holds what was there before. */
  readonly octets: Buffer;
  /** Comes last: nobody may know of the octets any more. Does nothing the second time. */
  giveBack(): void;
}

/** Of 1 MiB: a mailbox of usual size, and what is read ahead in it. */
export const largeBuffers = new BufferPool(1024 * 1024, 32);

/** The other sizes: what was added since the last visit or is digested of a tail, and a step of a commit of a large mailbox. */
const pools = [
  new BufferPool(72 * 1024, 16),
  largeBuffers,
  new BufferPool(4 * 1024 * 1024 + 64 * 1024, 8),
] as const;

/** Room for so many octets. What is larger than all pools' is made anew: few need it. */
export function takeRoom(octets: number): Room {
  const pool = pools.find((one) => octets <= one.octets);
  const whole = pool?.take() ?? Buffer.allocUnsafeSlow(octets);
  let isLent = true;
  return {
    octets: whole.subarray(0, octets),
    giveBack() {
      if (isLent) pool?.giveBack(whole);
      isLent = false;
    },
  };
}
