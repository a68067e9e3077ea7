import { matchesArgon2 } from './argon2.ts';
import { matchesCrypt } from './crypt-hash.ts';
import { matchesDigest } from './digest.ts';
import type { StoredPassword } from './stored-password.ts';

/** Whether this is the password. Throws where this system cannot compute such a hash. */
export async function verify(stored: StoredPassword, password: Uint8Array): Promise<boolean> {
  switch (stored.kind) {
    case 'argon2':
      return matchesArgon2(stored, password);
    case 'crypt':
      return matchesCrypt(stored, password);
    case 'digest':
      return matchesDigest(stored, password);
    case 'locked':
      return false;
  }
}

export type Verify = typeof verify;
