/** Nobody who has not logged in stays for so long, in milliseconds. */
export const longestMs = 1_000_000_000;

/** More connections than all processes can have together. */
export const mostConnections = 1_000_000_000;

/** Connections that have not logged in. */
export interface Strangers {
  readonly count: number;
  /** How long the oldest has been there, in milliseconds; 0 where there is none. */
  readonly oldestMs: number;
}

/** The connections of a process, or of several together. */
export interface Taken {
  readonly connections: number;
  /** Among them. */
  readonly strangers: Strangers;
}

export const noneTaken: Taken = { connections: 0, strangers: { count: 0, oldestMs: 0 } };

/**
 * What is left when one stranger, the oldest, has gone. How long the next one has been there is not known: it is taken that they have come one
 * by one.
 */
export function withoutOldest({ connections, strangers: { count, oldestMs } }: Taken): Taken {
  const left = Math.max(0, count - 1);
  const nextMs = count === 0 ? 0 : Math.floor((oldestMs * left) / count);
  return { connections: Math.max(0, connections - 1), strangers: { count: left, oldestMs: nextMs } };
}
