import { z } from 'zod';

import type { FoundConfig } from './find-config.ts';
import { ownModules } from './module-resolver.ts';
import { ownModulesSchema } from './own-modules.ts';
import { readerOf } from './readers.ts';
import type { Source } from './source.ts';

const snapshotSchema = z.strictObject({ file: z.string(), text: z.string(), modules: ownModulesSchema });

/**
 * The config and its own modules, as this process has read them, for others that are to have the same, whatever is on disk by then.
 * Packages are none of it: those are installed, and not edited.
 */
export function snapshotOf({ file, text }: Source): string {
  return JSON.stringify({ file, text, modules: ownModules.carried } satisfies z.input<typeof snapshotSchema>);
}

/** The other way round, in a process that loads no other. Whoever made it has seen to it that the files can be trusted. */
export async function readSnapshot(snapshot: string): Promise<FoundConfig> {
  const { file, text, modules } = snapshotSchema.parse(JSON.parse(snapshot));
  const read = readerOf(file);
  if (read === undefined) throw new TypeError(`${file} is no config's name`);
  ownModules.take(modules);
  return { file, reading: await read(file, text), unused: [] };
}
