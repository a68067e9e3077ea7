import { z } from 'zod';

import { isNetwork } from '../server/proxy/networks.ts';
import { defaultSettings } from '../settings.ts';

/** Timers of Node overflow above this. */
const maxTimerMs = 2_147_483_647;
const hostnameForm = 'the name of a host, without spaces';
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
    control: controlSchema().default({}),
    tls: z
      .strictObject(
        {
          certificate: text('the path of a PEM file'),
          key: text('the path of a PEM file'),
          minVersion: z.enum(['TLSv1.2', 'TLSv1.3'], { error: '"TLSv1.2" or "TLSv1.3"' }).default('TLSv1.2'),
        },
        { error: 'an object, such as { certificate: "fullchain.pem", key: "privkey.pem" }' },
      )
      .optional(),
    cleartextLogin: z
      .enum(['never', 'loopback', 'always'], { error: '"never", "loopback" or "always"' })
      .default(defaultSettings.cleartextLogin),
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
          connectionsPerNetwork: whole(1, 1_000_000, '').optional(),
          sessionsPerUser: whole(1, 1_000_000, '').default(defaultSettings.limits.sessionsPerUser),
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
    fronts: frontsSchema().default(defaultSettings.fronts),
    blockedTimeoutMs: milliseconds().default(defaultSettings.blockedTimeoutMs),
    retireTimeoutMs: milliseconds().default(defaultSettings.retireTimeoutMs),
    isolation: z.enum(['none', 'user'], { error: '"none" or "user"' }).default(defaultSettings.isolation),
    user: text('the name of an account').default(defaultSettings.user),
    authUser: text('the name of an account').optional(),
    minUid: whole(1, 4_294_967_294, '').default(defaultSettings.minUid),
    workers: z
      .strictObject(
        {
          spares: whole(0, 100, '').default(defaultSettings.workers.spares),
          maxUsers: whole(1, 100_000, '').default(defaultSettings.workers.maxUsers),
          patienceMs: milliseconds().default(defaultSettings.workers.patienceMs),
          idleMs: milliseconds().default(defaultSettings.workers.idleMs),
        },
        { error: 'an object, such as { maxUsers: 500 }' },
      )
      .default({ ...defaultSettings.workers }),
    replies: z.enum(['plain', 'classic'], { error: '"plain" or "classic"' }).default(defaultSettings.replies),
    hostname: z
      .string({ error: hostnameForm })
      .regex(/^[!-~]{1,253}$/, { error: hostnameForm })
      .default(defaultSettings.hostname),
    updateOnAbort: z.boolean({ error: 'true or false' }).default(defaultSettings.updateOnAbort),
    socketDebug: z.boolean({ error: 'true or false' }).default(defaultSettings.socketDebug),
    logStyle: z
      .enum(['plain', 'classic'], { error: '"plain" or "classic"' })
      .default(defaultSettings.logStyle),
    // What stands in the list is looked at one by one: a plugin can be wrong in more ways than a schema can tell.
    plugins: z.array(z.unknown(), { error: 'a list of plugins' }),
  },
  { error: 'an object: { listen, stateDir, plugins, ... }' },
);

const controlAddress = z.strictObject(
  {
    path: text('the path of a unix socket').optional(),
    mode: permissionBits().optional(),
    group: z
      .union([text(''), whole(0, 4_294_967_294, '')], { error: 'the name or number of a group' })
      .optional(),
  },
  { error: 'false, or an object such as { group: "adm" }' },
);

export type CompleteConfig = z.infer<typeof configSchema>;

/** The keys that the schema knows at a path, for whoever misspelt one. */
export function knownKeysAt(path: readonly PropertyKey[]): readonly string[] {
  const { limits, log, tls, workers } = configSchema.shape;
  switch (path[0]) {
    case undefined:
      return Object.keys(configSchema.shape);
    case 'limits':
      return Object.keys(limits.unwrap().shape);
    case 'log':
      return Object.keys(log.unwrap().shape);
    case 'workers':
      return Object.keys(workers.unwrap().shape);
    case 'tls':
      return Object.keys(tls.unwrap().shape);
    case 'control':
      return Object.keys(controlAddress.shape);
    case 'listen':
      return path[2] === 'proxy' ? ['from'] : ['host', 'port', 'tls', 'path', 'mode', 'inherited', 'proxy'];
    default:
      return [];
  }
}

/** False, or where and for whom. Written out because a union of both could not say what is wrong inside. */
function controlSchema() {
  return z.unknown().transform((value, context) => {
    if (value === false) return false;
    const result = controlAddress.safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      const { path, message } = issue;
      // Whoever reports it looks for himself what the input was.
      const input = {};
      if (issue.code === 'unrecognized_keys')
        context.addIssue({ code: issue.code, keys: issue.keys, path, input });
      else context.addIssue({ code: 'custom', message, path, input });
    }
    return z.NEVER;
  });
}

/** An address: host and port, or a path, or a socket's name. Written out because a union could not say which one was meant. */
function listenSchema() {
  return z
    .strictObject(
      {
        host: text('an IP address or a host name').optional(),
        port: whole(0, 65_535, '').optional(),
        tls: z.boolean({ error: 'true or false' }).optional(),
        path: text('the path of a unix socket').optional(),
        mode: permissionBits().optional(),
        inherited: text('the name of a socket, as FileDescriptorName= of systemd gives it').optional(),
        proxy: proxySchema().optional(),
      },
      { error: 'an object, such as { port: 110 } or { path: "/run/popper.sock" }' },
    )
    .superRefine(({ host, port, tls, path, mode, inherited }, context) => {
      const refuse = (key: string, message: string, fix?: string): void =>
        context.addIssue({ code: 'custom', path: [key], message, params: { statement: true, fix } });
      const refuseAll = (values: object, message: string): void => {
        for (const [key, value] of Object.entries(values))
          if (value !== undefined) refuse(key, message, `remove ${key}`);
      };
      if (inherited !== undefined)
        return refuseAll(
          { host, port, path, mode },
          'belongs to what popper opens itself, not to an inherited socket',
        );
      if (path === undefined && port === undefined) refuse('port', 'is missing: { port: 110 }, or { path }');
      if (path === undefined && mode !== undefined)
        refuse('mode', 'belongs to a unix socket, not to a port', 'remove mode, or name a path and no port');
      if (path !== undefined && port !== undefined)
        refuse(
          'path',
          'stands beside port: only one can be',
          'make two entries of it, one with the port and one with the path',
        );
      if (path !== undefined) refuseAll({ host, tls }, 'belongs to a port, not to a unix socket');
    });
}

/** Who may say for whom a connection is. An empty list would be a port that says so and believes nobody. */
function proxySchema() {
  const network = z.custom<string>((value) => typeof value === 'string' && isNetwork(value), {
    error: 'an IP address, a network such as "10.0.0.0/8", or "unix"',
  });
  const from = z
    .array(network, { error: 'a list of networks, such as ["10.0.0.0/8"]' })
    .min(1, { error: 'at least one network' });
  return z.strictObject({ from }, { error: 'an object, such as { from: ["10.0.0.0/8"] }' });
}

function frontsSchema() {
  return z.custom<number | 'auto'>(
    (value) => value === 'auto' || (Number.isSafeInteger(value) && inRange(Number(value), 1, 256)),
    { error: '"auto", or a whole number from 1 to 256' },
  );
}

function text(what: string) {
  return z.string({ error: what }).regex(/^[^\0]+$/, { error: what });
}

/** A number; or a string, for JSON has no octal numbers, and `chmod` is typed so. */
function permissionBits() {
  const error = 'permission bits, such as 0o660 or "0660"';
  return z
    .custom<number | string>(
      (value) =>
        (typeof value === 'string' ? /^0?[0-7]{3}$/ : /^\d+$/).test(String(value)) && bitsOf(value) <= 0o777,
      { error },
    )
    .transform(bitsOf);
}

function bitsOf(value: unknown): number {
  return typeof value === 'string' ? Number.parseInt(value, 8) : Number(value);
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
