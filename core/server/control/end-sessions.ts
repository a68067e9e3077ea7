import { setTimeout as delay } from 'node:timers/promises';

import type { OpenSession } from '../open-sessions.ts';
import type { Kicked } from './messages.ts';

/** So long a command at work may take to end by itself, in milliseconds. */
const graceMs = 2000;
/** So long after that the session is waited for, in milliseconds: all that may go on then is an UPDATE. */
const patienceMs = 3000;

/** Ends these sessions without UPDATE, and answers when they are over or have been waited for long enough. */
export async function endSessions(sessions: readonly OpenSession[]): Promise<Kicked> {
  const late = new Set(sessions);
  const over = Promise.all(sessions.map((session) => session.over.then(() => late.delete(session))));
  for (const { channel } of sessions) channel.stop('kicked');
  await noLongerThan(graceMs, over);
  for (const { channel } of late) channel.destroy();
  await noLongerThan(patienceMs, over);
  return { ended: idsOf(sessions.filter((session) => !late.has(session))), late: idsOf([...late]) };
}

const idsOf = (sessions: readonly OpenSession[]): string[] => sessions.map(({ channel }) => channel.facts.id);

async function noLongerThan(mostMs: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  await Promise.race([work, delay(mostMs, undefined, { signal: done.signal })]).finally(() => done.abort());
}
