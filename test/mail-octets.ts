import * as fc from 'fast-check';

/** Octets in which everything that the protocol cares about comes often: line ends, dots, From_ lines, NUL, 8-bit. */
export const mailOctets: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom('\r', '\n', '.', '\r\n', '\n.', '\r\n.', '\r\n.\r\n', '\0', '\xff'),
      },
      {
        weight: 2,
        arbitrary: fc.constantFrom('From ', 'F', '\nFrom ', '\n\nFrom ', '\r\n\r\nFrom ', 'rom ', '\nFrxm '),
      },
      { weight: 2, arbitrary: fc.string({ unit: fc.constantFrom('a', ' ', '.'), maxLength: 40 }) },
    ),
    { maxLength: 60 },
  )
  .map((pieces) => Buffer.from(pieces.join(''), 'latin1'));

/** Where to cut: used up in turn, whatever is left is the last chunk. Zero gives an empty chunk. */
export const chunkLengths: fc.Arbitrary<readonly number[]> = fc.array(fc.nat({ max: 20 }), { maxLength: 20 });

/** The octets in chunks of these lengths. */
export function cut(octets: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let from = 0;
  for (const length of lengths) {
    chunks.push(octets.subarray(from, from + length));
    from += length;
  }
  return [...chunks, octets.subarray(from)];
}

/** The octets in two chunks, at every position there is. */
export function cutEverywhere(octets: Uint8Array): Uint8Array[][] {
  return Array.from({ length: octets.length + 1 }, (_, index) => cut(octets, [index]));
}

export async function* streamOf(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

export const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
