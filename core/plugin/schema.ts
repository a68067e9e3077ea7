import type { StandardSchemaV1 } from '@standard-schema/spec';

/** One thing wrong with a value, and where in it. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The value as the schema gives it back, or what is wrong with it. Throws where the schema is async. */
export function validate<Schema extends StandardSchemaV1>(
  schema: Schema,
  input: unknown,
  name: string,
): { readonly value: StandardSchemaV1.InferOutput<Schema> } | { readonly problems: readonly Problem[] } {
  const result = schema['~standard'].validate(input);
  if (result instanceof Promise) throw new TypeError(`${name}: its schema is async; popper needs a sync one`);
  if (result.issues === undefined) return { value: result.value };
  return {
    problems: result.issues.map(({ path = [], message }) => ({
      path: path.map((step) => (typeof step === 'object' ? step.key : step)),
      message,
    })),
  };
}

/** The checked value. Throws a TypeError that names what is wrong. */
export function checkWith<Schema extends StandardSchemaV1>(
  schema: Schema,
  input: unknown,
  name: string,
): StandardSchemaV1.InferOutput<Schema> {
  const result = validate(schema, input, name);
  if ('value' in result) return result.value;
  throw new TypeError(`${name}: ${describe(result.problems)}`);
}

export const describe = (problems: readonly Problem[]): string =>
  problems.map(({ path, message }) => `${path.map(String).join('.') || 'options'}: ${message}`).join('; ');
