import koffi, { type LibraryHandle } from 'koffi';

import { CannotHash } from './cannot-hash.ts';

/** `struct crypt_data` of libxcrypt and glibc: 32768 octets, or a little more in old ones. */
const scratchOctets = 131_232;

/** libxcrypt goes by .1 where it replaced glibc's own (Debian, Ubuntu) and by .2 where it did not keep that name (Fedora). */
const libraryNames = ['libcrypt.so.1', 'libcrypt.so.2'];

/**
 * crypt(3) with the setting at the head of `setting` (a whole hash will do), computed off the event loop. Undefined
 * where the library refuses the setting or the password. Throws a CannotHash where there is no libcrypt.
 */
export function crypt(password: Uint8Array, setting: string): Promise<string | undefined> {
  const phrase = Buffer.alloc(password.length + 1);
  phrase.set(password);
  const scratch = Buffer.alloc(scratchOctets);
  return new Promise((resolve, reject) => {
    library().async(phrase, setting, scratch, scratch.length, (error: unknown, hash: unknown) => {
      phrase.fill(0);
      scratch.fill(0);
      if (error instanceof Error) reject(error);
      else resolve(typeof hash === 'string' ? hash : undefined);
    });
  });
}

interface CryptFunction {
  async(
    phrase: Uint8Array,
    setting: string,
    scratch: Uint8Array,
    octets: number,
    done: (error: unknown, hash: unknown) => void,
  ): void;
}

const loaded: { crypt_rn?: CryptFunction } = {};

// At the first hash and not at import: a file without crypt hashes is served on a machine without the library. Declared
// once, because koffi keeps each declaration for ever.
function library(): CryptFunction {
  loaded.crypt_rn ??= open().func(
    'const char *crypt_rn(const void *phrase, const char *setting, void *data, int octets)',
  );
  return loaded.crypt_rn;
}

function open(): LibraryHandle {
  const causes: unknown[] = [];
  for (const name of libraryNames) {
    try {
      return koffi.load(name);
    } catch (error) {
      causes.push(error);
    }
  }
  const cause = new AggregateError(causes);
  const what = `there is no ${libraryNames.join(' or ')} here`;
  throw new CannotHash(what, 'install it (Debian: apt-get install libcrypt1)', { cause });
}
