import { realpathSync } from 'node:fs';
import type { LoadFnOutput, ResolveFnOutput } from 'node:module';
import { dirname, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { z } from 'zod';

const formatSchema = z.string().exactOptional();

/** In the order in which they were come upon. */
export const ownModulesSchema = z.strictObject({
  folders: z.array(z.string()),
  /** What each import by path leads to. */
  resolved: z.array(
    z.strictObject({ parent: z.string(), specifier: z.string(), url: z.string(), format: formatSchema }),
  ),
  loaded: z.array(z.strictObject({ url: z.string(), text: z.string(), format: formatSchema })),
});
export type CarriedModules = z.output<typeof ownModulesSchema>;

type Resolved = CarriedModules['resolved'][number];
type Loaded = CarriedModules['loaded'][number];

/**
 * A config's own modules: itself, and what is imported by path from one of them. As it was read once, each stays; so it does for
 * another process that is given them, whatever lies on disk by then.
 */
export class OwnModules {
  /** Where the config lies, by its name and by where links lead. */
  readonly #folders = new Set<string>();
  readonly #urls = new Set<string>();
  readonly #resolved = new Map<string, Resolved>();
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

  resolved(specifier: string, parent: string | undefined): ResolveFnOutput | undefined {
    const known = this.#resolved.get(keyOf(specifier, parent));
    return known && { url: known.url, ...(known.format && { format: known.format }) };
  }

  loaded(url: string): LoadFnOutput | undefined {
    const known = this.#loaded.get(url);
    return known && { source: known.text, format: known.format };
  }

  /** What was resolved, if it is one of them: imported by this specifier, which names no package, from one. */
  keepResolved(specifier: string, parent: string | undefined, { url, format }: ResolveFnOutput): void {
    if (parent === undefined || !this.#urls.has(parent) || !url.startsWith('file:')) return;
    this.#urls.add(url);
    this.#resolved.set(keyOf(specifier, parent), { parent, specifier, url, ...(format && { format }) });
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
      loaded: [...this.#loaded.values()],
    };
  }

  /** The other way round, there. */
  take({ folders, resolved, loaded }: CarriedModules): void {
    this.#areGiven = true;
    for (const folder of folders) this.#folders.add(folder);
    for (const one of resolved) this.#resolved.set(keyOf(one.specifier, one.parent), one);
    for (const one of loaded) this.#loaded.set(one.url, one);
  }
}

const keyOf = (specifier: string, parent: string | undefined): string => `${parent ?? ''} ${specifier}`;

/** Programs and data; an addon is no text, and is loaded from its file. */
const isText = (format: string | null | undefined): boolean => !/^(?:addon|wasm)$/.test(format ?? '');
