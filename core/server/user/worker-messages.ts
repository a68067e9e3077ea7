import { z } from 'zod';

import type { SessionReport } from '../../session/report.ts';
import { connectionFactsSchema } from './connection-facts.ts';
import { responseCodeSchema } from './login-messages.ts';
import { maxTicketLength } from './ticket.ts';

const id = z.int().min(0).max(0xfffffffe);
const session = z.string().min(1).max(128);
const count = z.int().min(0);
const tally = z.strictObject({ messages: count, octets: count });
/** Check what is sealed for its account, 256 bits in base64: of the auth process that there is, and of the one before, whose tickets may still be on their way. */
const keys = z.array(z.string().length(44)).min(1).max(2);
/** On the client's connection, where the worker has it; none through a relay, which counts them itself. */
const octets = { received: count, sent: count };

/** What the master tells a worker. */
export const workerOrderSchema = z.discriminatedUnion('kind', [
  /** Comes once, and first: give up root for this user. */
  z.strictObject({
    kind: z.literal('become'),
    uid: id,
    gid: id,
    keys,
    /** There is a locker, which makes locks in spools for it. */
    hasLocker: z.boolean().exactOptional(),
  }),
  /** Comes once, in the place of `become`: try whether a worker can begin, as this account, which nobody logs in to, and end. */
  z.strictObject({ kind: z.literal('rehearse'), uid: id, gid: id }),
  /** From here on another auth process seals tickets. */
  z.strictObject({ kind: z.literal('trust'), keys }),
  /** The stream that comes with it leads to the locker, in the place of an earlier one. */
  z.strictObject({ kind: z.literal('locker') }),
  /** Run the rest of this session. Its stream comes with the message: a relay's, or the client's connection, which is `lent`. */
  z.strictObject({
    kind: z.literal('serve'),
    ticket: z.string().max(maxTicketLength),
    facts: connectionFactsSchema,
    lent: z.boolean(),
  }),
  /** End a session: after the command at work, or at once where its client is gone. */
  z.strictObject({ kind: z.literal('end'), session, how: z.enum(['stopped', 'kicked', 'gone']) }),
  /** An operator asks: where the lock is that this user's last session asked for, or else what the sessions are at. */
  z.strictObject({ kind: z.literal('ask'), request: count, lockOf: z.string().max(512).exactOptional() }),
  /** No more sessions come: end with the last one. */
  z.strictObject({ kind: z.literal('retire') }),
  /** End within the time that the configuration gives to a stop. */
  z.strictObject({ kind: z.literal('stop') }),
]);
export type WorkerOrder = z.output<typeof workerOrderSchema>;

const endings = [
  'quit',
  'failed',
  'refused',
  'disconnected',
  'idle',
  'stopped',
  'kicked',
  'abuse',
  'handshake',
  'crowded',
] as const satisfies readonly SessionReport['ending'][];

/** What a session came to in the worker, for the front's report of all of it. */
export const outcomeSchema = z
  .strictObject({
    ending: z.enum(endings),
    failure: z
      .strictObject({ code: responseCodeSchema.optional(), reason: z.string() })
      .transform(({ code, reason }) => ({ code, reason }))
      .optional(),
    retrieved: tally,
    top: tally,
    deleted: tally,
    left: tally,
    openMs: count,
    updateMs: count,
    /** The client was in the middle of a reply: its connection is to end so that it can tell. */
    isTorn: z.boolean(),
    ...octets,
  })
  // JSON leaves out what is undefined.
  .transform(({ failure, ...rest }) => ({ ...rest, failure }));

/** What a session of a worker's is at. */
const progressSchema = z.strictObject({
  session,
  state: z.enum(['AUTHORIZATION', 'TRANSACTION']),
  command: z.string().max(64).exactOptional(),
  /** Milliseconds since the last command began. */
  activeMs: count,
  retrieved: tally,
  marked: tally,
  ...octets,
});
export type WorkerProgress = z.output<typeof progressSchema>;

/** A session whose client has left unread for so many milliseconds what it was sent. */
const stalledSchema = z.strictObject({ session, forMs: count });
export type StalledSession = z.output<typeof stalledSchema>;

/** What a worker tells the master. */
export const workerReportSchema = z.discriminatedUnion('kind', [
  /** A sign of life, from the moment on that it is somebody. */
  z.strictObject({ kind: z.literal('alive'), stalled: z.array(stalledSchema) }),
  /** Everything is loaded: it can become anybody. */
  z.strictObject({ kind: z.literal('spare') }),
  /** It is the user, has redone what was left half done, and can be given streams; or it could be, where that is only tried. */
  z.strictObject({ kind: z.literal('ready') }),
  /** A session is over, its maildrop closed and its stream too; or it never began, for want of a ticket. */
  z.strictObject({ kind: z.literal('ended'), session, outcome: outcomeSchema }),
  /** Answers. */
  z.strictObject({ kind: z.literal('sessions'), request: count, sessions: z.array(progressSchema) }),
  z.strictObject({
    kind: z.literal('lock'),
    request: count,
    look: z.strictObject({ file: z.string().max(4096), octet: count, isHeld: z.boolean() }).exactOptional(),
  }),
  /** It cannot be what it was started for, and ends; `reason` is for the operator. */
  z.strictObject({ kind: z.literal('failed'), reason: z.string() }),
  /** Nobody has come for a while: it would end if it were told to retire. */
  z.strictObject({ kind: z.literal('idle') }),
]);
export type WorkerReport = z.output<typeof workerReportSchema>;
