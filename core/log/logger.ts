export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What happened, as data: the message is a constant, everything that varies is a field. Never holds a secret. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
  /**
   * The message tells what there is to tell, as `logStyle: 'classic'` makes it: whoever writes lines of text leaves the fields
   * away. Absent where the fields belong to it.
   */
  readonly isWhole?: boolean;
}

export type LogFields = Readonly<Record<string, unknown>> & { readonly [saidByTheClassic]?: true };

const saidByTheClassic: unique symbol = Symbol.for('popperd.classicLine');

/**
 * Among the fields of what the classic popper said in just these words: `log.warn('Unable to ...', { ...classicLine, error })`. With
 * `logStyle: 'classic'` a sink of text leaves the fields away, since programs look for the line. No field itself.
 */
export const classicLine = { [saidByTheClassic]: true } as const;

export const isClassicLine = ({ fields }: LogRecord): boolean => fields[saidByTheClassic] === true;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** A logger that gives every record to one function. */
export function loggerTo(sink: (record: LogRecord) => void): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void =>
      sink({ level, message, fields });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
