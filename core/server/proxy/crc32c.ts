/** The CRC-32C of these octets (Castagnoli's polynomial, as in RFC 3720 section 12.1), from 0 to 0xffffffff. */
export function crc32c(octets: Uint8Array): number {
  let rest = 0xffffffff;
  for (const octet of octets) rest = (rest >>> 8) ^ (table[(rest ^ octet) & 0xff] ?? 0);
  return ~rest >>> 0;
}

const reversedPolynomial = 0x82f63b78;

const table = Uint32Array.from({ length: 256 }, (_, octet) => {
  let rest = octet;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ reversedPolynomial : rest >>> 1;
  return rest;
});
