import type { Logger } from '../../log/logger.ts';
import type { SocketChannel } from '../channel.ts';
import type { OpenSessions } from '../open-sessions.ts';
import type { State } from '../state.ts';
import type { WorkerOrder, WorkerProgress, WorkerReport } from './worker-messages.ts';

type Question = Extract<WorkerOrder, { kind: 'ask' }>;

/** On a client's connection, as far as this process has moved them itself. */
export interface Octets {
  readonly received: number;
  readonly sent: number;
}

export interface AskedWorker {
  readonly sessions: OpenSessions;
  readonly octetsOf: (channel: SocketChannel) => Octets;
  readonly state: Pick<State, 'lockOf'>;
  readonly log: Logger;
}

/** What a worker says to an operator's question. Never throws. */
export async function answerOf({ request, lockOf }: Question, asked: AskedWorker): Promise<WorkerReport> {
  if (lockOf === undefined) return { kind: 'sessions', request, sessions: progressOf(asked) };
  const look = await asked.state.lockOf(lockOf).catch((error: unknown) => {
    asked.log.error('a lock cannot be looked at', { user: lockOf, error });
    return undefined;
  });
  return { kind: 'lock', request, ...(look && { look }) };
}

function progressOf({ sessions, octetsOf }: AskedWorker): WorkerProgress[] {
  return [...sessions.values()].map(({ channel, tally }) => {
    const { state, command, activeAtMs, retrieved, marked } = tally.progress();
    const activeMs = Math.max(0, Math.round(performance.now() - activeAtMs));
    const at = command === undefined ? {} : { command };
    return { session: channel.facts.id, state, ...at, activeMs, retrieved, marked, ...octetsOf(channel) };
  });
}
