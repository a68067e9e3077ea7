/** What a service manager told the process that it started, by variables of its environment (sd_notify(3), sd_watchdog_enabled(3)). */
export interface NotifyVariables {
  /** NOTIFY_SOCKET: where it wants to hear from the process. */
  readonly address: string;
  /** WATCHDOG_USEC: it ends the process where it has heard nothing for so long, in milliseconds. */
  readonly watchdogMs?: number;
  /** WATCHDOG_PID: the process that it waits for, where it says so. */
  readonly watchedPid?: number;
}

const names = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const;

/**
 * Takes them out of the environment, so that no child process speaks for the daemon. Undefined where nobody wants to
 * hear anything.
 */
export function takeNotifyVariables(environment: NodeJS.ProcessEnv): NotifyVariables | undefined {
  const [address, watchdogUs, watchedPid] = names.map((name) => {
    const value = environment[name];
    delete environment[name];
    return value;
  });
  if (address === undefined || address === '') return undefined;
  return {
    address,
    ...(isPositive(watchdogUs) && { watchdogMs: Number(watchdogUs) / 1000 }),
    ...(isPositive(watchedPid) && { watchedPid: Number(watchedPid) }),
  };
}

const isPositive = (text: string | undefined): boolean => /^0*[1-9]\d{0,14}$/.test(text ?? '');
