import { z } from 'zod';

import { isClassicLine, type LogFields, type LogLevel, type LogRecord } from './logger.ts';
import { printableLine, printableWord } from './sanitise.ts';
import type { LogStyle } from './style.ts';

/** The classic popper's own words for what happens in a session, which filters and scrapers look for; all else stays as it is. */
export const classicStyle =
  (version: string): LogStyle =>
  (record) => {
    if (isClassicLine(record)) return [{ ...record, isWhole: true }];
    const line = lines.get(record.message);
    const facts = line === undefined ? undefined : factsOf(record.fields);
    const said = facts && line?.(facts, version);
    return said?.map((one) => ({ ...record, ...one, isWhole: true })) ?? [record];
  };

type Said = Pick<LogRecord, 'level' | 'message'>;
type Line = (facts: Facts, version: string) => readonly Said[] | undefined;

/** The classic's priorities: notice is `info` here. */
const at = (level: LogLevel, message: string): Said => ({ level, message });

/**
 * By the message that the record has. Whose host is named is named by its address, which fail2ban and its like can do most with;
 * where the classic wrote the name and the address, the address stands in both places.
 */
const lines: ReadonlyMap<string, Line> = new Map<string, Line>([
  [
    'connected',
    ({ address }, version) => [
      at('debug', `(v${version}) Servicing request from "${address}" at ${address}`),
    ],
  ],
  [
    'logged in',
    ({ user, address }, version) => [
      at('info', `(v${version}) POP login by user "${user}" at (${address}) ${address}`),
    ],
  ],
  [
    'login refused',
    ({ user, address }) => [at('warn', `Failed attempted login to ${user} from host ${address}`)],
  ],
  [
    'left after USER',
    ({ user, address }) => [
      at('info', `Possible probe of account ${user} from host ${address} (${address})`),
    ],
  ],
  ['debugging is on', () => [at('info', 'Debugging turned on')]],
  ['error reply', ({ text }) => [at('info', text)]],
  ['line received', ({ text }) => [at('debug', `Received (${text.length}): "${text}"`)]],
  ['session', sessionLines],
]);

/** What the classic said to a client that went without QUIT, and logged as it logged every error. */
const endings: Readonly<Record<string, string>> = {
  idle: 'POP timeout',
  disconnected: 'POP EOF received',
  stopped: 'POP hangup',
};

function sessionLines(facts: Facts, version: string): readonly Said[] | undefined {
  const { user, address, ending } = facts;
  // A plugin that logs under this name means something else.
  if (ending === undefined) return undefined;
  const broken = endings[ending];
  const who = user === '' ? `"${address}" at ${address}` : `"${user}" at (${address}) ${address}`;
  return [
    ...(broken === undefined ? [] : [at('info', `${broken} from ${address}`)]),
    at('debug', `(v${version}) Ending request from ${who}`),
    ...(user === '' ? [] : [at('debug', timingOf(facts, version))]),
  ];
}

/** Seconds, as the classic counted. */
function timingOf({ user, address, ending, loginMs, openMs, updateMs }: Facts, version: string): string {
  const [auth, init, clean] = [loginMs, openMs, updateMs].map((ms) => Math.round(ms / 1000));
  const how = ending === 'quit' ? 'normal' : 'error';
  return `(v${version}) Timing for ${user}@${address} (${how}) auth=${auth} init=${init} clean=${clean}`;
}

interface Facts {
  readonly address: string;
  /** Empty where there is none. */
  readonly user: string;
  readonly text: string;
  readonly ending: string | undefined;
  readonly loginMs: number;
  readonly openMs: number;
  readonly updateMs: number;
}

/** A name is one word and no longer than a line can bear, so that it cannot push the host out of it. */
const longestNameOctets = 100;
const longestTextOctets = 400;

const fieldsSchema = z.object({
  address: z.string().default(''),
  user: z.string().default(''),
  text: z.string().default(''),
  ending: z.string().optional(),
  loginMs: z.number().default(0),
  openMs: z.number().default(0),
  updateMs: z.number().default(0),
});

/** Undefined for fields that are not the core's. */
function factsOf(fields: LogFields): Facts | undefined {
  const parsed = fieldsSchema.safeParse(fields);
  if (!parsed.success || 'plugin' in fields) return undefined;
  const { address, user, text, ...rest } = parsed.data;
  return {
    address: printableWord(address, longestNameOctets),
    user: printableWord(user, longestNameOctets),
    text: printableLine(text, longestTextOctets),
    ...rest,
    ending: rest.ending,
  };
}
