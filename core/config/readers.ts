import { extname } from 'node:path';

import type { extensions } from './locate-config.ts';
import { readModule } from './read-module.ts';
import type { Reading } from './reading.ts';

export type Reader = (file: string, text: string) => Reading | Promise<Reading>;

/** Loaded where it is wanted, for each process that is started loads a config, and a module needs no YAML. */
const dataReaders = () => import('./read-data.ts');
const readYaml: Reader = async (file, text) => (await dataReaders()).readYaml(file, text);

/** By what a config's name ends in. */
export const readers: Readonly<Record<string, Reader>> = {
  '.ts': readModule,
  '.js': readModule,
  '.mjs': readModule,
  '.json': async (file, text) => (await dataReaders()).readJson(file, text),
  '.yaml': readYaml,
  '.yml': readYaml,
} satisfies Record<(typeof extensions)[number], Reader>;

/** Undefined where its name is no config's. */
export const readerOf = (file: string): Reader | undefined => readers[extname(file)];
