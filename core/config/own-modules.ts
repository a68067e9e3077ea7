import { realpathSync } from 'node:fs';
import type { LoadFnOutput, ResolveFnOutput } from 'node:module';
import { dirname, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { z } from 'zod';

import { codeOf, messageOf } from './error-facts.ts';

const formatSchema = z.string().exactOptional();
const importSchema = z.strictObject({
  parent: z.string(),
  specifier: z.string(),
  /** By `require` it may lead to something else. */
  isRequired: z.boolean(),
});

/** In the order in which they were come upon. */
export const ownModulesSchema = z.strictObject({
  folders: z.array(z.string()),
  /** What each import by path leads to. */
  resolved: z.array(importSchema.extend({ url: z.string(), format: formatSchema })),
  /** Those that lead nowhere. */
  missing: z.array(
    importSchema.extend({
      message: z.string(),
      code: z.string().exactOptional(),
      /** Where it would be: `import.meta.resolve` gives that all the same. */
      url: z.string().exactOptional(),
    }),
  ),
  loaded: z.array(z.strictObject({ url: z.string(), text: z.string(), format: formatSchema })),
});
export type CarriedModules = z.output<typeof ownModulesSchema>;

type Resolved = CarriedModules['resolved'][number];
type Missing = CarriedModules['missing'][number];
type Loaded = CarriedModules['loaded'][number];

/** As a module asks for another one, by a path or a name of its package's, not by a package. */
export interface Import {
  readonly parent: string | undefined;
  readonly specifier: string;
  readonly isRequired: boolean;
}

/**
 * A config's own modules: itself, and what is imported by path from one of them. As it was read once, each stays; so it does for
 * another process that is given them, whatever lies on disk by then.
 */
export class OwnModules {
  /** Where the config lies, by its name and by where links lead. */
  readonly #folders = new Set<string>();
  readonly #urls = new Set<string>();
  readonly #resolved = new Map<string, Resolved>();
  readonly #missing = new Map<string, Missing>();
  readonly #loaded = new Map<string, Loaded>();
  #areGiven = false;

  /** This config is about to be loaded. */
  begin(file: string): void {
    this.#urls.add(pathToFileURL(file).href);
    // Of those that are given there need be no file any more.
    if (this.#areGiven) return;
    // Node calls modules by the paths that links lead to.
    for (const path of [file, realpathSync(file)]) this.#folders.add(dirname(path) + sep);
  }

  /** Whether this is a file beside the config or below, of no package. */
  isBeside(url: string | undefined): url is string {
    if (!url?.startsWith('file:')) return false;
    const path = fileURLToPath(url);
    return (
      !path.includes(`${sep}node_modules${sep}`) && [...this.#folders].some((one) => path.startsWith(one))
    );
  }

  /** Whether this config was loaded as this module: by its own name, or by where links led. */
  isConfig(url: string | undefined, file: string): boolean {
    const named = pathToFileURL(file).href;
    const config = { parent: named, specifier: named, isRequired: false };
    return url === named || url === this.#resolved.get(keyOf(config))?.url;
  }

  /**
   * What it leads to, as it did before. Undefined for what is new. Of those that are given, what led nowhere throws; a process that
   * looks at the disk may find it later.
   */
  resolved(wanted: Import): ResolveFnOutput | undefined {
    const missing = this.#areGiven ? this.#missing.get(keyOf(wanted)) : undefined;
    if (missing !== undefined) {
      const { message, code, url } = missing;
      throw Object.assign(new Error(message), { code, ...(url !== undefined && { url }) });
    }
    const known = this.#resolved.get(keyOf(wanted));
    return known && { url: known.url, ...(known.format && { format: known.format }) };
  }

  loaded(url: string): LoadFnOutput | undefined {
    const known = this.#loaded.get(url);
    return known && { source: known.text, format: known.format };
  }

  /** What was resolved, if one of them asked for it. */
  keepResolved(wanted: Import, { url, format }: ResolveFnOutput): void {
    if (!this.#isOurs(wanted) || !url.startsWith('file:')) return;
    this.#urls.add(url);
    this.#missing.delete(keyOf(wanted));
    this.#resolved.set(keyOf(wanted), { ...wanted, url, ...(format && { format }) });
  }

  /** The same for what is not there. */
  keepMissing(wanted: Import, error: unknown): void {
    if (!this.#isOurs(wanted)) return;
    const code = codeOf(error);
    const url: unknown = error instanceof Error && 'url' in error ? error.url : undefined;
    this.#missing.set(keyOf(wanted), {
      ...wanted,
      message: messageOf(error),
      ...(typeof code === 'string' && { code }),
      ...(typeof url === 'string' && { url }),
    });
  }

  /** What was loaded, if it is one of them. */
  keepLoaded(url: string, { source, format }: LoadFnOutput): void {
    if (!this.#urls.has(url) || source === undefined || source === null || !isText(format)) return;
    const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
    this.#loaded.set(url, { url, text, ...(format && { format }) });
  }

  /** What another process has to be given. */
  get carried(): CarriedModules {
    return {
      folders: [...this.#folders],
      resolved: [...this.#resolved.values()],
      missing: [...this.#missing.values()],
      loaded: [...this.#loaded.values()],
    };
  }

  /** The other way round, there. */
  take({ folders, resolved, missing, loaded }: CarriedModules): void {
    this.#areGiven = true;
    for (const folder of folders) this.#folders.add(folder);
    for (const one of resolved) this.#resolved.set(keyOf(one), one);
    for (const one of missing) this.#missing.set(keyOf(one), one);
    for (const one of loaded) this.#loaded.set(one.url, one);
  }

  #isOurs(wanted: Import): wanted is Import & { readonly parent: string } {
    return wanted.parent !== undefined && this.#urls.has(wanted.parent);
  }
}

const keyOf = ({ parent = '', specifier, isRequired }: Import): string =>
  `${isRequired ? 'require' : 'import'} ${parent} ${specifier}`;

/** Programs and data; an addon is no text, and is loaded from its file. */
const isText = (format: string | null | undefined): boolean => !/^(?:addon|wasm)$/.test(format ?? '');
