import { z } from 'zod';

/** The version of the protocol. A change that an old reader would misunderstand makes it one more. */
export const protocolVersion = 1;
/** Octets of a line, its line end not counted, in either direction. */
export const maxLineOctets = 64 * 1024;

/** Whose session, or which: far longer than either can be, and far shorter than a line. */
const name = z.string().min(1).max(512);
const version = z.literal(protocolVersion);

/** One line that asks. */
export const requestSchema = z.discriminatedUnion('command', [
  z.strictObject({ version, command: z.literal('status') }),
  z.strictObject({ version, command: z.literal('who') }),
  z.strictObject({ version, command: z.literal('kick'), target: name }),
  z.strictObject({ version, command: z.literal('unlock'), user: name }),
  z.strictObject({ version, command: z.literal('reload') }),
  z.strictObject({ version, command: z.literal('drain') }),
]);
export type Request = z.output<typeof requestSchema>;

const count = z.int().min(0);
const time = z.iso.datetime();
const tally = z.object({ messages: count, octets: count });

/** How a daemon is. Octets of memory, milliseconds of delay. */
export const statusSchema = z.object({
  version: z.string(),
  pid: count,
  startedAt: time,
  configFile: z.string(),
  listening: z.array(z.string()),
  /** True after `drain`: nobody is let in any more. */
  draining: z.boolean(),
  sessions: z.object({ authorization: count, transaction: count }),
  logins: z.object({ accepted: count, refused: count }),
  retrieved: tally,
  deleted: tally,
  /** How late timers fired in the last minute or two: 99 of 100 were earlier. */
  eventLoopDelayP99Ms: z.number(),
  memory: z.object({ residentOctets: count, heapOctets: count }),
  /** With `isolation: 'user'`: users who have a process, and processes that wait for a user. */
  workers: z.object({ users: count, spares: count }).optional(),
});
export type Status = z.output<typeof statusSchema>;

/** One session of `who`. */
export const sessionEntrySchema = z.object({
  id: z.string(),
  /** Left out where nobody has logged in. */
  user: z.string().optional(),
  address: z.string(),
  port: count,
  secure: z.boolean(),
  state: z.enum(['AUTHORIZATION', 'TRANSACTION']),
  /** The command at work; left out while the client is waited for. */
  command: z.string().optional(),
  startedAt: time,
  /** When the last command began. */
  activeAt: time,
  retrieved: tally,
  /** What is marked for deletion; only QUIT deletes it. */
  marked: tally,
  /** Octets on the wire. */
  received: count,
  sent: count,
});
export type SessionEntry = z.output<typeof sessionEntrySchema>;

/** Ids of sessions that were told to end: those that have, and those still at work on their last command. */
const ends = { ended: z.array(z.string()), late: z.array(z.string()) };

export const kickedSchema = z.object(ends);
export type Kicked = z.output<typeof kickedSchema>;

export const unlockedSchema = z.object({
  ...ends,
  /** `unknown`: since the daemon began nobody has tried to open a maildrop for this user. */
  lock: z.enum(['free', 'held', 'unknown']),
  /** Who holds it, as far as this daemon may see. */
  holders: z.array(z.object({ pid: count, title: z.string() })),
});
export type Unlocked = z.output<typeof unlockedSchema>;
export type LockHolder = Unlocked['holders'][number];

export const reloadedSchema = z.object({ generation: count });
export type Reloaded = z.output<typeof reloadedSchema>;

/** How many sessions are waited for. */
export const drainedSchema = z.object({ sessions: count });
export type Drained = z.output<typeof drainedSchema>;

/**
 * One line of an answer. A list has a line for each item; the last line of every answer is `done` or `error`.
 */
export const answerLineSchema = z.union([
  z.object({ session: sessionEntrySchema }),
  z.object({ done: z.unknown() }),
  z.object({
    error: z.object({
      /**
       * `request`: it was not understood; `version`: it was of another version; `starting`: ask again soon; `refused`: see
       * the message; `failed`: see the daemon's log.
       */
      code: z.enum(['request', 'version', 'starting', 'refused', 'failed']),
      message: z.string(),
    }),
  }),
]);
export type AnswerLine = z.output<typeof answerLineSchema>;
export type AnswerError = Extract<AnswerLine, { error: unknown }>['error'];
