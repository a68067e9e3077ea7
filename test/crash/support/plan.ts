import { z } from 'zod';

/** Where in a call the fault comes. Torn: a write has put its first octet, half of it, or all but its last octet there. */
export const places = ['before', 'after', 'torn-start', 'torn-middle', 'torn-end'] as const;
export type Place = (typeof places)[number];

/**
 * What is to go wrong in one update, first login or recovery, at the file-changing call of this index. `die`: the
 * process kills itself, as kill -9 would. `fail`: the call throws; `lasting` says that every later one does, too.
 * Without a fault the calls are only counted.
 */
export const plan = z.strictObject({
  moment: z.enum(['login', 'update', 'recovery']),
  fault: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('die'), index: z.int().min(0), place: z.enum(places) }),
      z.strictObject({
        kind: z.literal('fail'),
        index: z.int().min(0),
        place: z.enum(places),
        code: z.enum(['EIO', 'ENOSPC', 'EDQUOT']),
        lasting: z.boolean(),
      }),
    ])
    .optional(),
});

export type Plan = z.output<typeof plan>;
export type Fault = NonNullable<Plan['fault']>;
export type ErrorCode = Extract<Fault, { kind: 'fail' }>['code'];

/** One call that changes files, as the daemon's log tells it. */
export const fileCall = z.strictObject({
  call: z.enum([
    'create',
    'write',
    'truncate',
    'sync',
    'dataSync',
    'rename',
    'link',
    'unlink',
    'createFolder',
    'syncFolder',
  ]),
  path: z.string(),
});

export type FileCall = z.output<typeof fileCall>;
