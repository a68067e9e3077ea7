import type { Status } from '../control/messages.ts';

/** What the statuses of several processes come to: those of their numbers that can be put together. */
export type Total = Pick<
  Status,
  'sessions' | 'logins' | 'retrieved' | 'deleted' | 'eventLoopDelayP99Ms' | 'memory'
>;

export const nothing: Total = {
  sessions: { authorization: 0, transaction: 0 },
  logins: { accepted: 0, refused: 0 },
  retrieved: { messages: 0, octets: 0 },
  deleted: { messages: 0, octets: 0 },
  eventLoopDelayP99Ms: 0,
  memory: { residentOctets: 0, heapOctets: 0 },
};

export const totalOf = (statuses: readonly Total[]): Total => statuses.reduce(plus, nothing);

/** Sums, but for the delay: the worst one counts. */
export const plus = (one: Total, other: Total): Total => ({
  sessions: sum(one.sessions, other.sessions),
  logins: sum(one.logins, other.logins),
  retrieved: sum(one.retrieved, other.retrieved),
  deleted: sum(one.deleted, other.deleted),
  eventLoopDelayP99Ms: Math.max(one.eventLoopDelayP99Ms, other.eventLoopDelayP99Ms),
  memory: sum(one.memory, other.memory),
});

/** What stays of a process that is no more. */
export const pastOf = ({ logins, retrieved, deleted }: Total): Total => ({
  ...nothing,
  logins,
  retrieved,
  deleted,
});

export const sessionsIn = (status: Pick<Status, 'sessions'> | undefined): number =>
  status === undefined ? 0 : status.sessions.authorization + status.sessions.transaction;

type Numbers<Key extends string> = Record<Key, number>;

function sum<Key extends string>(one: Numbers<Key>, other: Numbers<Key>): Numbers<Key> {
  const result = { ...one };
  for (const key in other) result[key] = one[key] + other[key];
  return result;
}
