import { z } from 'zod';

import { configSchema } from './schema.ts';

/** What is expected at a key, in the words of its error: `a whole number of milliseconds from 1 to 2147483647`. */
export function expectedAt([key = '', inner]: readonly string[]): string {
  const shape: Readonly<Record<string, z.ZodType>> = configSchema.shape;
  const outer = shape[key];
  const inside = inner === undefined ? outer : fieldsOf(outer)?.[inner];
  // No key takes a symbol, so each says what it takes.
  return inside?.safeParse(Symbol('nothing')).error?.issues[0]?.message ?? '';
}

function fieldsOf(schema: z.core.$ZodType | undefined): Readonly<Record<string, z.ZodType>> | undefined {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) return fieldsOf(schema.unwrap());
  return schema instanceof z.ZodObject ? schema.shape : undefined;
}
