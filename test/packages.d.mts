/** A Debian package that tests or the bench need. */
export interface TestPackage {
  readonly name: string;
  /** A program that is there when the package is: a name looked for in PATH, or an absolute path. */
  readonly program: string;
  readonly why: string;
}

export const packages: readonly TestPackage[];
export function missingPackages(): readonly TestPackage[];
export function aptLine(wanted: readonly TestPackage[]): string;
export function installPackages(wanted: readonly TestPackage[]): void;
