import type { StandardSchemaV1 } from '@standard-schema/spec';

/** What a plugin without a schema takes: nothing, or an object that holds nothing. */
export type NoOptions = StandardSchemaV1<Record<string, never>, Record<string, never>>;

export const noOptions: NoOptions = {
  '~standard': { version: 1, vendor: 'popperd', validate },
};

function validate(value: unknown): StandardSchemaV1.Result<Record<string, never>> {
  if (typeof value !== 'object' || value === null)
    return { issues: [{ message: 'it takes no options, and these are none' }] };
  const keys = Object.keys(value);
  if (keys.length === 0) return { value: {} };
  // As zod says it, so that each is shown at its place in the config.
  const list = keys.map((key) => JSON.stringify(key)).join(', ');
  return { issues: [{ message: `Unrecognized keys: ${list}` }] };
}
