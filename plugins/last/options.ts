import { z } from 'zod';

/** What an operator may set; README.md says more. */
export const options = z.strictObject({
  /** Which messages count for LAST. */
  meaning: z
    .enum(['accessed', 'ucb', 'read'], { error: 'expected "accessed", "ucb" or "read"' })
    .default('accessed'),
});

export type Meaning = z.output<typeof options>['meaning'];
