import { z } from 'zod';

/** Counted by the worker, through all lockers that it meets. */
const request = z.int().min(0);
const kind = z.string().max(64);
const path = z.string().max(4096);

/** What a worker asks the locker. A lock is called by the request that has brought it. */
export const lockRequestSchema = z.discriminatedUnion('ask', [
  /** First of all, for each lock that a locker before this one has made: it is needed still, and keeps its number. Not answered. */
  z.strictObject({ ask: z.literal('resume'), request, kind, path }),
  /** There are no more such locks. */
  z.strictObject({ ask: z.literal('begin') }),
  /** Try once to lock this mailbox. */
  z.strictObject({ ask: z.literal('try'), request, kind, path }),
  z.strictObject({ ask: z.literal('refresh'), request, lock: request }),
  z.strictObject({ ask: z.literal('release'), request, lock: request }),
]);
export type LockRequest = z.output<typeof lockRequestSchema>;

const said = z.enum(['held', 'busy', 'forbidden', 'missing', 'refreshed', 'released', 'taken']);

/** What the locker answers. A lock that could not be resumed is another's by now: `taken`, when it is asked for. */
export const lockAnswerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('said'), request, said }),
  /** The system failed; `code` is its own. */
  z.strictObject({
    kind: z.literal('failed'),
    request,
    reason: z.string(),
    code: z.string().exactOptional(),
  }),
  /** This worker's user may not lock that. */
  z.strictObject({ kind: z.literal('refused'), request, reason: z.string() }),
]);
export type LockAnswer = z.output<typeof lockAnswerSchema>;

/** What the master tells the locker. */
export const lockerOrderSchema = z.discriminatedUnion('kind', [
  /** A worker that is this uid, and nobody else; its stream comes with the message. */
  z.strictObject({ kind: z.literal('worker'), uid: z.int().min(1).max(0xfffffffe) }),
  /** All workers that were there have been told of: take away the locks that nobody has any more. */
  z.strictObject({ kind: z.literal('clear') }),
  /** End, when the workers have. */
  z.strictObject({ kind: z.literal('stop') }),
]);
export type LockerOrder = z.output<typeof lockerOrderSchema>;

/** What the locker tells the master. */
export const lockerReportSchema = z.discriminatedUnion('kind', [
  /** It can be given workers; or need not be, since no store of the configuration wants locks in a spool. */
  z.strictObject({ kind: z.literal('ready'), isWanted: z.boolean() }),
  /** A sign of life. */
  z.strictObject({ kind: z.literal('alive') }),
  /** It cannot do what it was started for, and ends; `reason` is for the operator. */
  z.strictObject({ kind: z.literal('failed'), reason: z.string() }),
]);
export type LockerReport = z.output<typeof lockerReportSchema>;
