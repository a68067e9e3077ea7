import type { Mailbox } from './mailbox.ts';
import type { Session } from './sessions.ts';

/** How much is asked for at one time, and for how long. */
export interface Load {
  /** Sessions open at one time, each of another user. */
  readonly clients: number;
  /** No session begins later than this many milliseconds after the start; undefined: each mailbox has one session. */
  readonly durationMs?: number;
}

export interface Done {
  readonly sessions: number;
  /** Octets of the messages that were fetched. */
  readonly octets: number;
  readonly wallMs: number;
}

/** Runs sessions side by side, the mailboxes in turn. Throws at the first wrong reply, after the others have ended. */
export async function put(
  load: Load,
  mailboxes: readonly Mailbox[],
  session: (mailbox: Mailbox) => ReturnType<Session>,
): Promise<Done> {
  const waiting = [...mailboxes];
  const startedAtMs = performance.now();
  const endsAtMs = startedAtMs + (load.durationMs ?? Infinity);
  const done = { sessions: 0, octets: 0 };
  const failures: unknown[] = [];

  const client = async (): Promise<void> => {
    while (performance.now() < endsAtMs && failures.length === 0) {
      const mailbox = waiting.shift();
      if (mailbox === undefined) return;
      const octets = await session(mailbox);
      done.octets += octets;
      done.sessions += 1;
      if (load.durationMs !== undefined) waiting.push(mailbox);
    }
  };
  await Promise.all(
    Array.from({ length: load.clients }, () => client().catch((error: unknown) => failures.push(error))),
  );
  if (failures.length > 0) throw failures[0];
  return { ...done, wallMs: performance.now() - startedAtMs };
}
