import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';

import { type DestinationStream, pino } from 'pino';
import type pretty from 'pino-pretty';

import type { LogFields, Logger, LogLevel } from './logger.ts';
import { loggerTo } from './logger.ts';
import { readableSession } from './readable-session.ts';
import { isSane, printableLine, sanitise } from './sanitise.ts';

/** The daemon's own log. Beside what every logger has, one level for what ends the process. */
export interface DaemonLog extends Logger {
  /** Always written, and with stacks. */
  fatal(message: string, fields?: LogFields): void;
}

export interface LogOptions {
  /** Records below this level are left out. */
  readonly level: LogLevel;
  /** `auto`: readable on a terminal, JSON otherwise. */
  readonly format: 'auto' | 'json' | 'pretty';
  readonly stream: Writable & { readonly isTTY?: boolean };
}

/** Constants are short, and so are the lines of a style; anything longer got something into it that belongs in a field. */
const longestMessageOctets = 512;

/** A logger that writes one line a record to the stream. */
export function createLogger({ level, format, stream }: LogOptions): DaemonLog {
  const onTerminal = stream.isTTY === true;
  const readable = format === 'pretty' || (format === 'auto' && onTerminal);
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const log = pino(options, readable ? readableLines(stream, onTerminal) : stream);
  const write = (at: LogLevel | 'fatal', message: string, fields: LogFields): void => {
    if (!log.isLevelEnabled(at)) return;
    const stacks = level === 'debug' || at === 'fatal';
    log[at](safeFields(fields, stacks), printableLine(message, longestMessageOctets));
  };
  return {
    ...loggerTo((record) => write(record.level, record.message, record.fields)),
    fatal: (message, fields = {}) => write('fatal', message, fields),
  };
}

/** pino's own keys stay pino's: a field of that name would stand in the line twice. */
const ownKeys = new Set(['level', 'time', 'pid', 'msg']);

const safeFields = (fields: LogFields, stacks: boolean): LogFields => {
  if (areSane(fields)) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      ownKeys.has(key) ? `${key}_` : key,
      sanitise(value, { stacks }),
    ]),
  );
};

/** Nearly all are, and then nothing has to be copied. */
function areSane(fields: LogFields): boolean {
  if (Object.getPrototypeOf(fields) !== Object.prototype) return false;
  for (const key in fields) if (ownKeys.has(key) || !isSane(fields[key])) return false;
  return true;
}

function readableLines(stream: Writable, colorize: boolean): DestinationStream {
  // Few processes write to a terminal, and each would have it in memory.
  const { prettyFactory }: typeof pretty = createRequire(import.meta.url)('pino-pretty');
  const format = prettyFactory({
    colorize,
    singleLine: true,
    ignore: 'pid',
    translateTime: 'SYS:HH:MM:ss.l',
    // Errors are plain data by now; pino-pretty would spread them over many lines.
    errorLikeObjectKeys: [],
  });
  return { write: (line) => void stream.write(format(readableSession(JSON.parse(line)) ?? line)) };
}
