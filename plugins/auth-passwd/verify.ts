import { matchesArgon2 } from './argon2.ts';
import { matchesCrypt } from './crypt-hash.ts';
import { matchesDigest } from './digest.ts';
import type { StoredPassword } from './stored-password.ts';

/** Whether this is the password. Throws where this system cannot compute such a hash. */
export async function verify(stored: StoredPassword, password: Uint8Array): Promise<boolean> {
  if (stored.kind === 'argon2') return matchesArgon2(stored, password);
  if (stored.kind === 'crypt') return matchesCrypt(stored, password);
  return stored.kind === 'digest' && matchesDigest(stored, password);
}

export type Verify = typeof verify;
