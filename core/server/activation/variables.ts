/** A socket that is open in a process from its first instruction on. */
export interface GivenSocket {
  /** As the service manager calls it: `FileDescriptorName=` of systemd's. Several may have the same. */
  readonly name: string;
  readonly descriptor: number;
}

/** Behind standard input, output and error (sd_listen_fds(3): SD_LISTEN_FDS_START). */
export const firstGivenDescriptor = 3;
/** More than anybody has; a larger number is none in form. */
const maxGiven = 1024;
/** What sockets are called that have no name (sd_listen_fds_with_names(3)). */
const nameless = 'unknown';

/**
 * The sockets that a service manager has opened for the process that it started (sd_listen_fds(3)). Takes the variables that
 * say so out of the environment, so that no child process takes them for its own. None where they are meant for another process.
 */
export function takeListenVariables(
  environment: NodeJS.ProcessEnv,
  pid: number = process.pid,
): readonly GivenSocket[] {
  const [forPid, count = '', names = ''] = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'].map((variable) => {
    const value = environment[variable];
    delete environment[variable];
    return value;
  });
  // A newer systemd gives this one besides, which says the same of the same process.
  delete environment['LISTEN_PIDFDID'];
  if (forPid !== String(pid) || !/^\d{1,4}$/.test(count) || Number(count) > maxGiven) return [];
  const called = names === '' ? [] : names.split(':');
  return givenSockets(Array.from({ length: Number(count) }, (_, index) => called[index] ?? ''));
}

/** Those with these names, in the order of their descriptors. */
export const givenSockets = (names: readonly string[]): readonly GivenSocket[] =>
  names.map((name, index) => ({
    name: name === '' ? nameless : name,
    descriptor: firstGivenDescriptor + index,
  }));

/** The other way round: what `givenSockets` makes them from again, for a child process that is told of them. */
export const namesOf = (given: readonly GivenSocket[]): readonly string[] => given.map(({ name }) => name);
