import { z } from 'zod';

import { parseDestination } from './destination.ts';
import { facilities } from './priority.ts';

function refuse(context: z.core.$RefinementCtx): never {
  context.addIssue({
    code: 'custom',
    input: context.value,
    message: 'expected a path such as "/dev/log", or "udp://host", "tcp://host:601" or "tls://host:6514"',
  });
  return z.NEVER;
}

/** What an operator may set; README.md says more about each. */
export const optionsSchema = z
  .strictObject({
    /** A path, `@name`, or `udp://`, `tcp://` or `tls://` with a host and perhaps a port. */
    to: z
      .string()
      .transform((text, context) => parseDestination(text) ?? refuse(context))
      .prefault('/dev/log'),
    /** PEM file with the certificates that the receiver's has to lead to; the system's if left out. */
    ca: z.string().min(1).optional(),
    facility: z.enum(facilities).default('local0'),
    /** Records below it are left out. */
    level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    tag: z
      .string()
      .regex(/^[\w.-]{1,32}$/, { error: 'expected 1 to 32 letters, digits and ._-' })
      .default('popper'),
    queueRecords: z.int().min(1).max(1_000_000).default(1000),
    /** Octets of one record; longer ones are cut. 1024 for a path, 2048 for a host if left out. */
    maxOctets: z.int().min(480).max(65_000).optional(),
    /** How long a stop waits for what has not been sent. */
    stopTimeoutMs: z.int().min(0).max(25_000).default(2000),
  })
  .refine(({ ca, to }) => ca === undefined || to.kind === 'tls', {
    path: ['ca'],
    error: 'belongs to a receiver with TLS: expected tls:// in the option to',
  });

export type Options = z.output<typeof optionsSchema>;
