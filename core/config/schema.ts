import { z } from 'zod';

import { defaultSettings } from '../settings.ts';

/** Timers of Node overflow above this. */
const maxTimerMs = 2_147_483_647;
/** `sun_path` of a unix socket's address holds 108 octets, the final NUL among them. */
export const maxSocketPathOctets = 107;

/**
 * The configuration as a config file may write it, with every default put in. Each `error` says what was expected; what was
 * found, and where, is told by who reports it.
 */
export const configSchema = z.strictObject(
  {
    listen: z
      .array(listenSchema(), { error: 'a list of addresses, such as [{ port: 110 }]' })
      .min(1, { error: 'at least one address, such as { port: 110 }' }),
    stateDir: text('the path of a folder'),
    idleTimeoutMs: milliseconds().default(defaultSettings.idleTimeoutMs),
    loginTimeoutMs: milliseconds().default(defaultSettings.loginTimeoutMs),
    stopTimeoutMs: milliseconds().default(defaultSettings.stopTimeoutMs),
    hookDeadlineMs: milliseconds().default(defaultSettings.hookDeadlineMs),
    maxAuthFailures: whole(1, 1000, '').default(defaultSettings.maxAuthFailures),
    limits: z
      .strictObject(
        {
          connections: whole(1, 1_000_000, '').default(defaultSettings.limits.connections),
          connectionsPerAddress: whole(1, 1_000_000, '').default(
            defaultSettings.limits.connectionsPerAddress,
          ),
        },
        { error: 'an object, such as { connections: 1000 }' },
      )
      .default({ ...defaultSettings.limits }),
    log: z
      .strictObject(
        {
          level: z
            .enum(['debug', 'info', 'warn', 'error'], { error: '"debug", "info", "warn" or "error"' })
            .default('info'),
          format: z.enum(['auto', 'json', 'pretty'], { error: '"auto", "json" or "pretty"' }).default('auto'),
        },
        { error: 'an object, such as { level: "info" }' },
      )
      .default({ level: 'info', format: 'auto' }),
    isolation: z.literal('none', { error: '"none"' }).default('none'),
    // What stands in the list is looked at one by one: a plugin can be wrong in more ways than a schema can tell.
    plugins: z.array(z.unknown(), { error: 'a list of plugins' }),
  },
  { error: 'an object: { listen, stateDir, plugins, ... }' },
);

export type CompleteConfig = z.infer<typeof configSchema>;

/** The keys that the schema knows at a path, for whoever misspelt one. */
export function knownKeysAt(path: readonly PropertyKey[]): readonly string[] {
  const { limits, log } = configSchema.shape;
  switch (path[0]) {
    case undefined:
      return Object.keys(configSchema.shape);
    case 'limits':
      return Object.keys(limits.unwrap().shape);
    case 'log':
      return Object.keys(log.unwrap().shape);
    case 'listen':
      return ['host', 'port', 'path', 'mode'];
    default:
      return [];
  }
}

/** An address: host and port, or a path. Written out because a union of both could not say which one was meant. */
function listenSchema() {
  return z
    .strictObject(
      {
        host: text('an IP address or a host name').optional(),
        port: whole(0, 65_535, '').optional(),
        path: text('the path of a unix socket').optional(),
        mode: whole(0, 0o777, ', such as 0o660').optional(),
      },
      { error: 'an object, such as { port: 110 } or { path: "/run/popper.sock" }' },
    )
    .superRefine(({ host, port, path, mode }, context) => {
      const refuse = (key: string, message: string): void =>
        context.addIssue({ code: 'custom', path: [key], message, params: { statement: true } });
      if (path === undefined && port === undefined) refuse('port', 'is missing: { port: 110 }, or { path }');
      if (path !== undefined && port !== undefined) refuse('path', 'stands beside port: only one can be');
      if (path !== undefined && host !== undefined) refuse('host', 'belongs to a port, not to a unix socket');
      if (path === undefined && mode !== undefined) refuse('mode', 'belongs to a unix socket, not to a port');
    });
}

function text(what: string) {
  return z.string({ error: what }).regex(/^[^\0]+$/, { error: what });
}

function milliseconds() {
  return whole(1, maxTimerMs, ' of milliseconds');
}

function whole(min: number, max: number, ofWhat: string) {
  return z.custom<number>((value) => Number.isSafeInteger(value) && inRange(Number(value), min, max), {
    error: `a whole number${ofWhat} from ${min} to ${max}`,
  });
}

const inRange = (value: number, min: number, max: number): boolean => value >= min && value <= max;
