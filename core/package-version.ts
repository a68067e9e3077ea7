import { readFileSync } from 'node:fs';
import module from 'node:module';

/**
 * The version of a package as the module at the URL `base` would import it, or with `.` of the package that module belongs
 * to. Undefined where it is not there.
 */
export function packageVersion(specifier: string, base: string): string | undefined {
  try {
    const file = module.findPackageJSON(specifier, base);
    const parsed: unknown = file === undefined ? undefined : JSON.parse(readFileSync(file, 'utf8'));
    if (typeof parsed !== 'object' || parsed === null || !('version' in parsed)) return undefined;
    return String(parsed.version);
  } catch {
    return undefined;
  }
}

/** popper's own. */
export const ownVersion = packageVersion('.', import.meta.url) ?? 'unknown';
