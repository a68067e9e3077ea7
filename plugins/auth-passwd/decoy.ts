import { costClassOf, type StoredPassword } from './stored-password.ts';

/** A hash that costs what most users' hashes do, to be checked where there is none; `otherwise` where nobody has any. */
export function decoyOf(
  accounts: Iterable<{ readonly stored: StoredPassword }>,
  otherwise: () => StoredPassword,
): StoredPassword {
  const classes = new Map<string, { readonly stored: StoredPassword; count: number }>();
  for (const { stored } of accounts) {
    if (stored.kind === 'locked') continue;
    const name = costClassOf(stored);
    const known = classes.get(name);
    if (known) known.count++;
    else classes.set(name, { stored, count: 1 });
  }
  const [most] = [...classes.values()].toSorted((one, other) => other.count - one.count);
  return most?.stored ?? otherwise();
}
