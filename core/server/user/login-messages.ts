import { z } from 'zod';

import type { ResponseCode } from '../../protocol/reply.ts';
import { connectionFactsSchema } from './connection-facts.ts';

const request = z.int().min(0);
const facts = z.record(z.string(), z.unknown());

/** What a front asks the auth process. A password goes beside the message, as the octets of its frame. */
export const loginQuestionSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('password'),
    /** Told apart by this number, for answers come in any order. */
    request,
    user: z.string().max(320),
    session: z.strictObject({
      ...connectionFactsSchema.shape,
      claimedUser: z.string().max(320).exactOptional(),
    }),
    /** What plugins have set in the front so far. */
    facts,
  }),
  /** The client of this request is gone: nobody waits for the answer. */
  z.strictObject({ kind: z.literal('gone'), request }),
]);
export type LoginQuestion = z.output<typeof loginQuestionSchema>;

const responseCodes = [
  'AUTH',
  'IN-USE',
  'LOGIN-DELAY',
  'SYS/TEMP',
  'SYS/PERM',
] as const satisfies readonly ResponseCode[];
export const responseCodeSchema = z.enum(responseCodes);

const id = z.int().min(0).max(0xfffffffe);

export const identitySchema = z.strictObject({ user: z.string().min(1), uid: id, gid: id, home: z.string() });

/** What it answers. */
export const loginAnswerSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('granted'),
    request,
    identity: identitySchema,
    ticket: z.string(),
  }),
  /** `reason` is for the log. */
  z.strictObject({ kind: z.literal('denied'), request, reason: z.string(), text: z.string().optional() }),
  /** `text` is for the client where a plugin meant it to be, and `code` with it; else it is for the log. */
  z.strictObject({
    kind: z.literal('unavailable'),
    request,
    text: z.string(),
    forClient: z.boolean(),
    code: responseCodeSchema.exactOptional(),
  }),
  z.strictObject({ kind: z.literal('unknown'), request }),
]);
export type LoginAnswer = z.output<typeof loginAnswerSchema>;
