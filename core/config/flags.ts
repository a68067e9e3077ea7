/** What the command line said, for a config file that is a function of it. */
export interface Flags {
  /** `-d`: log at debug. */
  readonly debug: boolean;
  /** `-s`: statistics. */
  readonly statistics: boolean;
  /** `-k`: Kerberos. */
  readonly kerberos: boolean;
  /** `-t FILE`: where to write a trace. */
  readonly trace?: string;
  /** `-T SECONDS`: how long a silent client is kept. */
  readonly timeoutSeconds?: number;
  /** `-b FOLDER`: where the bulletins are. */
  readonly bulletins?: string;
}

export const noFlags: Flags = { debug: false, statistics: false, kerberos: false };

/** The options that were given, as they were: `-s`, `-b`. */
export function givenFlags(flags: Flags): readonly string[] {
  const letters = {
    debug: 'd',
    statistics: 's',
    kerberos: 'k',
    trace: 't',
    timeoutSeconds: 'T',
    bulletins: 'b',
  };
  const values: Readonly<Record<string, unknown>> = { ...flags };
  return Object.entries(letters).flatMap(([name, letter]) => {
    const value = values[name];
    return value === undefined || value === false ? [] : [`-${letter}`];
  });
}
