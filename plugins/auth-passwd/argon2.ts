import * as crypto from 'node:crypto';

import { CannotHash } from './cannot-hash.ts';

/** A parsed `$argon2id$v=19$m=...,t=...,p=...$salt$tag` string (the PHC string format). */
export interface Argon2Hash {
  readonly kind: 'argon2';
  readonly algorithm: 'argon2i' | 'argon2d' | 'argon2id';
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

/**
 * What new passwords cost: 19 MiB, two passes, one lane (a minimum of the OWASP password storage cheat sheet). Some 35 ms
 * of one core: mail clients log in every few minutes, and the 64 MiB of RFC 9106 would cost five times that each time.
 */
const defaultCost = { memoryKib: 19_456, passes: 2, parallelism: 1 } as const;
const saltOctets = 16;
const tagOctets = 32;

/** Beyond these, one login would hold a core for seconds or take the memory of the daemon. */
const maxMemoryKib = 1_048_576;
const maxPasses = 64;
const maxParallelism = 64;

const form =
  /^\$(argon2i|argon2d|argon2id)\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,4})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** Reads a hash, or says what is wrong with it. Never repeats the hash. */
export function parseArgon2(text: string): Argon2Hash | string {
  const [, algorithm, memory, passes, parallelism, salt = '', tag = ''] = form.exec(text) ?? [];
  if (algorithm !== 'argon2i' && algorithm !== 'argon2d' && algorithm !== 'argon2id') {
    return 'the hash is not of the form $argon2id$v=19$m=MEMORY,t=PASSES,p=LANES$SALT$TAG';
  }
  const hash: Argon2Hash = {
    kind: 'argon2',
    algorithm,
    memoryKib: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
  return faultOf(hash) ?? hash;
}

/** What of Node's crypto argon2 takes. A Node before 24.7 has none of it. */
export type CryptoOfNode = Partial<Pick<typeof crypto, 'argon2'>>;

/** Undefined where this Node can compute argon2. */
export function lackOfArgon2({ argon2 }: CryptoOfNode = crypto): CannotHash | undefined {
  // Not a named import: on a Node before 24.7 that would stop the whole plugin from loading.
  if (typeof argon2 === 'function') return undefined;
  return new CannotHash(
    `argon2 needs Node 24.7 or newer, and this is ${process.versions.node}`,
    `update Node, or put a newer one beside popper (in /opt/popper, where that is its place): npm install --prefix /opt/popper node-linux-${process.arch}@24`,
  );
}

/** Makes `$argon2id$...` of a password with a fresh salt. The work is done off the event loop. Throws a CannotHash. */
export async function hashArgon2(password: Uint8Array): Promise<string> {
  const { memoryKib, passes, parallelism } = defaultCost;
  const salt = crypto.randomBytes(saltOctets);
  const tag = await derive(password, { algorithm: 'argon2id', ...defaultCost, salt, tagOctets });
  const cost = `m=${memoryKib},t=${passes},p=${parallelism}`;
  return `$argon2id$v=19$${cost}$${unpadded(salt)}$${unpadded(tag)}`;
}

/** A hash that nobody knows a password of and that costs what a new one does. */
export const argon2Decoy = (): Argon2Hash => ({
  kind: 'argon2',
  algorithm: 'argon2id',
  ...defaultCost,
  salt: crypto.randomBytes(saltOctets),
  tag: crypto.randomBytes(tagOctets),
});

/** Throws a CannotHash. */
export async function matchesArgon2(hash: Argon2Hash, password: Uint8Array): Promise<boolean> {
  const tag = await derive(password, { ...hash, tagOctets: hash.tag.length });
  return crypto.timingSafeEqual(tag, hash.tag);
}

function faultOf({ memoryKib, passes, parallelism, salt, tag }: Argon2Hash): string | undefined {
  if (salt.length < 8 || tag.length < 16 || tag.length > 64)
    return 'the salt or the tag of the hash was cut short';
  if (passes < 1 || parallelism < 1 || memoryKib < 8 * parallelism)
    return 'the cost of the hash is too low to compute';
  if (memoryKib > maxMemoryKib || passes > maxPasses || parallelism > maxParallelism) {
    return `the hash costs more than m=${maxMemoryKib},t=${maxPasses},p=${maxParallelism}`;
  }
  return undefined;
}

type Derivation = Omit<Argon2Hash, 'kind' | 'tag'> & { readonly tagOctets: number };

function derive(password: Uint8Array, derivation: Derivation): Promise<Buffer> {
  const { algorithm, memoryKib, passes, parallelism, salt, tagOctets: tagLength } = derivation;
  return new Promise((resolve, reject) => {
    const lack = lackOfArgon2();
    if (lack !== undefined) {
      reject(lack);
      return;
    }
    const parameters = { message: password, nonce: salt, memory: memoryKib, passes, parallelism, tagLength };
    crypto.argon2(algorithm, parameters, (error, tag) => (error ? reject(error) : resolve(tag)));
  });
}

const unpadded = (octets: Buffer): string => octets.toString('base64').replaceAll('=', '');
