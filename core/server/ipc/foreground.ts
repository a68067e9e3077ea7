import { z } from 'zod';

import type { Settings } from '../../settings.ts';
import { canShareSockets } from '../master/sockets.ts';
import type { Advice } from '../tls/advice.ts';

const milliseconds = z.int().min(1);

/** What the process that an operator or a service manager starts has to know of its configuration, whoever serves by it. */
export const foregroundSchema = z.strictObject({
  /** Whether it serves clients itself, as the only process there is. */
  servesAlone: z.boolean(),
  stateDir: z.string(),
  control: z
    .strictObject({
      path: z.string(),
      mode: z.int().min(0).max(0o777).exactOptional(),
      group: z.union([z.string(), z.int()]).exactOptional(),
    })
    .exactOptional(),
  stopTimeoutMs: milliseconds,
  hookDeadlineMs: milliseconds,
  log: z.strictObject({
    level: z.enum(['debug', 'info', 'warn', 'error']),
    format: z.enum(['auto', 'json', 'pretty']),
  }),
  /** What is as it may be, and maybe not as its operator meant it. */
  advice: z.array(z.strictObject({ what: z.string(), fix: z.string() })),
});
export type Foreground = z.output<typeof foregroundSchema>;

/** Of a configuration that has been loaded. */
interface Loaded {
  readonly settings: Settings;
  readonly log: Foreground['log'];
  readonly advice: readonly Advice[];
}

export const foregroundOf = ({ settings, log, advice }: Loaded): Foreground => ({
  servesAlone: servesAlone(settings),
  stateDir: settings.stateDir,
  ...(settings.control && { control: settings.control }),
  stopTimeoutMs: settings.stopTimeoutMs,
  hookDeadlineMs: settings.hookDeadlineMs,
  log,
  advice: [...advice],
});

const servesAlone = ({ fronts, isolation }: Settings): boolean =>
  isolation === 'none' && (fronts === 'auto' ? !canShareSockets : fronts === 1);
