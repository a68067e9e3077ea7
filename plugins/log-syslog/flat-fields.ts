import { type LogFields, sanitise } from 'popperd';

import type { Field } from './entry.ts';

/** More than any record has. */
const mostFields = 60;

/** Fields as names and values, what lies inside of them by a path: `deleted.messages`. Secrets are masked, errors plain. */
export const flatFields = (fields: LogFields): readonly Field[] =>
  flat('', sanitise(fields, { stacks: false })).slice(0, mostFields);

function flat(name: string, value: unknown): readonly Field[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return [[name, value]];
  if (typeof value !== 'object' || value === null) return [[name, JSON.stringify(value)]];
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object'))
    return [[name, value.join(',')]];
  return Object.entries(value).flatMap(([key, item]) => flat(name === '' ? key : `${name}.${key}`, item));
}
