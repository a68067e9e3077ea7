import { type Argon2Hash, parseArgon2 } from './argon2.ts';
import { type CryptHash, parseCrypt } from './crypt-hash.ts';
import { type Digest, type DigestAlgorithm, parseDigest, plainDigest } from './digest.ts';

/** No password opens it. */
export interface Locked {
  readonly kind: 'locked';
  /** For the log: what shuts the user out. */
  readonly reason: string;
}

/** What a password file knows of a password. */
export type StoredPassword = Argon2Hash | CryptHash | Digest | Locked;

/**
 * Reads the password field of a line, with a `{SCHEME}` before it or a bare crypt(3) hash. Answers with a sentence where
 * that cannot be done; no answer ever repeats a part of the field beyond the scheme's name.
 */
export function parseStoredPassword(field: string): StoredPassword | string {
  if (field === '') return 'the password field is empty';
  if (isLocked(field)) return { kind: 'locked', reason: lockedReason };
  const [prefix = '', name = '', encoding = ''] =
    /^\{([A-Za-z0-9-]+)(?:\.([A-Za-z0-9]+))?\}/.exec(field) ?? [];
  if (prefix === '') return parseBare(field);
  return parseScheme(name.toUpperCase(), field.slice(prefix.length), encoding.toLowerCase());
}

/** Whether `!` or `*` stands before or instead of a hash, as passwd(1) writes it. */
export const isLocked = (field: string): boolean => field.startsWith('!') || field.startsWith('*');
export const lockedReason = 'the user is locked out (! or * before the hash)';

/** Hashes of one class cost the same time to check: the scheme with its cost, and for all quick ones one class. */
export function costClassOf(stored: StoredPassword): string {
  if (stored.kind === 'crypt') return stored.cost;
  if (stored.kind !== 'argon2') return 'quick';
  return `${stored.algorithm} m=${stored.memoryKib},t=${stored.passes},p=${stored.parallelism}`;
}

function parseBare(field: string): StoredPassword | string {
  if (field.startsWith('$argon2')) return parseArgon2(field);
  if (field.startsWith('$apr1$')) {
    return 'the hash is of the kind $apr1$, which Apache alone knows: set the password again with "popper passwd add" or "htpasswd -B"';
  }
  if (field.startsWith('$')) return parseCrypt(field);
  return 'the password field has no scheme: write {PLAIN} or another {SCHEME} before it, or set it with "popper passwd add"';
}

const digests: ReadonlyMap<string, readonly [DigestAlgorithm, 'salted' | 'bare']> = new Map([
  ['SHA', ['sha1', 'bare']],
  ['SHA1', ['sha1', 'bare']],
  ['SHA256', ['sha256', 'bare']],
  ['SHA512', ['sha512', 'bare']],
  ['SSHA', ['sha1', 'salted']],
  ['SSHA256', ['sha256', 'salted']],
  ['SSHA512', ['sha512', 'salted']],
]);

const cryptPrefixes: ReadonlyMap<string, string> = new Map([
  ['CRYPT', ''],
  ['DES-CRYPT', ''],
  ['MD5-CRYPT', '$1$'],
  ['BLF-CRYPT', '$2'],
  ['SHA256-CRYPT', '$5$'],
  ['SHA512-CRYPT', '$6$'],
]);

function parseScheme(scheme: string, value: string, encoding: string): StoredPassword | string {
  const digest = digests.get(scheme);
  // Digests are octets, and base64 is how they are written where nothing else is said.
  const octets = decode(value, digest !== undefined && encoding === '' ? 'b64' : encoding);
  if (octets === undefined) return `the value after {${scheme}} is not written as its scheme says`;
  if (digest !== undefined) return parseDigest(octets, ...digest);
  if (['PLAIN', 'CLEAR', 'CLEARTEXT'].includes(scheme)) {
    return octets.length === 0 ? 'the password is empty' : plainDigest(octets);
  }
  return parseTextScheme(scheme, octets.toString('latin1'));
}

function parseTextScheme(scheme: string, hash: string): StoredPassword | string {
  if (['ARGON2ID', 'ARGON2I', 'ARGON2D'].includes(scheme)) {
    return hash.startsWith(`$${scheme.toLowerCase()}$`) ? parseArgon2(hash) : mismatch(scheme);
  }
  const prefix = cryptPrefixes.get(scheme);
  if (prefix === undefined) {
    return `the scheme {${scheme}} is not known here: set the password again with "popper passwd add"`;
  }
  return hash.startsWith(prefix) ? parseCrypt(hash) : mismatch(scheme);
}

const mismatch = (scheme: string): string => `the hash after {${scheme}} is one of another scheme`;

function decode(value: string, encoding: string): Buffer | undefined {
  if (encoding === '') return Buffer.from(value, 'latin1');
  if (encoding === 'hex') return /^(?:[0-9A-Fa-f]{2})*$/.test(value) ? Buffer.from(value, 'hex') : undefined;
  if (encoding !== 'b64' && encoding !== 'base64') return undefined;
  // Node's decoder takes anything; what it would skip is a hash that was cut or mistyped.
  return /^[A-Za-z0-9+/]*={0,2}$/.test(value) ? Buffer.from(value, 'base64') : undefined;
}
