import { availableParallelism } from 'node:os';

import { z } from 'zod';

import type { Listen, Settings } from '../../settings.ts';

const milliseconds = z.int().min(1);

const listenSchema = z.union([
  z.strictObject({ host: z.string().exactOptional(), port: z.int().min(0).max(65_535) }),
  z.strictObject({ path: z.string(), mode: z.int().min(0).max(0o777).exactOptional() }),
]);

/** What the master needs to know of a configuration, which it never loads itself: that is code. */
export const planSchema = z.strictObject({
  fronts: z.int().min(1),
  listen: z.array(listenSchema),
  blockedTimeoutMs: milliseconds,
  retireTimeoutMs: milliseconds,
});
export type Plan = z.output<typeof planSchema>;

export function planOf({ fronts, listen, blockedTimeoutMs, retireTimeoutMs }: Settings): Plan {
  return {
    fronts: fronts === 'auto' ? availableParallelism() : fronts,
    listen: listen.map(placeOf),
    blockedTimeoutMs,
    retireTimeoutMs,
  };
}

/** Where it is, without what is done there: the master does none of that. */
function placeOf(listen: Listen): Plan['listen'][number] {
  if ('path' in listen) return { path: listen.path, ...(listen.mode !== undefined && { mode: listen.mode }) };
  return { port: listen.port, ...(listen.host !== undefined && { host: listen.host }) };
}
