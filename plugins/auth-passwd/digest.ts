import { hash, timingSafeEqual } from 'node:crypto';

export type DigestAlgorithm = 'sha1' | 'sha256' | 'sha512';

/** One round of a hash over password and salt: quick to check and quick to guess. */
export interface Digest {
  readonly kind: 'digest';
  readonly algorithm: DigestAlgorithm;
  readonly digest: Uint8Array;
  readonly salt: Uint8Array;
}

const digestOctets = { sha1: 20, sha256: 32, sha512: 64 } as const;

/** Reads digest and salt as {SSHA} writes them, one after the other; or says what is wrong. */
export function parseDigest(
  octets: Uint8Array,
  algorithm: DigestAlgorithm,
  form: 'salted' | 'bare',
): Digest | string {
  const length = digestOctets[algorithm];
  if (form === 'salted' ? octets.length <= length : octets.length !== length) {
    return `the value is ${octets.length} octets, and ${algorithm} makes ${length}${form === 'salted' ? ' and a salt' : ''}`;
  }
  return { kind: 'digest', algorithm, digest: octets.slice(0, length), salt: octets.slice(length) };
}

/** A password that was written as it is. Only its digest stays in memory, and comparing takes the same time for all. */
export function plainDigest(password: Uint8Array): Digest {
  const digest = hash('sha256', password, 'buffer');
  return { kind: 'digest', algorithm: 'sha256', digest, salt: new Uint8Array() };
}

export function matchesDigest({ algorithm, digest, salt }: Digest, password: Uint8Array): boolean {
  const salted = Buffer.concat([password, salt]);
  try {
    return timingSafeEqual(hash(algorithm, salted, 'buffer'), digest);
  } finally {
    salted.fill(0);
  }
}
