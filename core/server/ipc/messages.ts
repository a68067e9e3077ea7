import { z } from 'zod';

import { answerLineSchema, requestSchema, statusSchema } from '../control/messages.ts';
import { crowdsSchema } from '../crowds.ts';
import { longestMs, mostConnections } from '../taken.ts';
import { connectionFactsSchema } from '../user/connection-facts.ts';
import { responseCodeSchema } from '../user/login-messages.ts';
import { maxTicketLength } from '../user/ticket.ts';
import { outcomeSchema } from '../user/worker-messages.ts';
import { foregroundSchema } from './foreground.ts';
import { planSchema } from './plan.ts';

const count = z.int().min(0);
const session = z.string().min(1).max(128);

const connections = z.int().min(0).max(mostConnections);
/** Connections, and those of them that have not logged in. */
const takenSchema = z.strictObject({
  connections,
  strangers: z.strictObject({ count: connections, oldestMs: z.int().min(0).max(longestMs) }),
});

/** Certificate and key as their files have them, which a front may not read. */
const pemSchema = z.strictObject({ certificate: z.string(), key: z.string() });
export type CarriedPem = z.output<typeof pemSchema>;

/** What the master tells a front. */
export const orderSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('start'),
    /** Its place in its generation, from 1. */
    number: z.int().min(1),
    /** What its listening sockets are called, in the order of their descriptors from `firstSocketDescriptor` on. */
    addresses: z.array(z.string()),
    /** Whether dead processes may have left something half done. */
    recovers: z.boolean(),
    /** Whether it speaks for its generation: tells plugins that the ports are open. */
    announces: z.boolean(),
    /** With `isolation: 'user'`: whom it is to be. Then others check passwords and open mail. */
    as: z.strictObject({ uid: count, gid: count }).exactOptional(),
    pem: pemSchema.exactOptional(),
  }),
  /** The files of the certificate have changed. */
  z.strictObject({ kind: z.literal('certificate'), pem: pemSchema }),
  /** The stream that comes with it leads to the process that checks passwords, in the place of an earlier one. */
  z.strictObject({ kind: z.literal('logins') }),
  /** The stream that comes with it leads to the worker of the session that was asked for. */
  z.strictObject({ kind: z.literal('assigned'), request: count }),
  /** There is no worker for it; `text` is for the client. */
  z.strictObject({
    kind: z.literal('unassigned'),
    request: count,
    text: z.string(),
    code: responseCodeSchema.exactOptional(),
  }),
  /** The worker is done with a session, or is no more: then nothing is known of what it came to. */
  z.strictObject({ kind: z.literal('ended'), session, outcome: outcomeSchema.exactOptional() }),
  /** The client of a session that a worker runs has left unread for so long what it was sent; for no time: it reads again. */
  z.strictObject({ kind: z.literal('stalled'), session, forMs: count }),
  /** How many connections the other fronts have, and who has many of them: limits are for all fronts together. */
  z.strictObject({
    kind: z.literal('elsewhere'),
    taken: takenSchema,
    crowds: crowdsSchema,
    /** Where it was asked for: the number of that. */
    look: count.exactOptional(),
  }),
  /** Another front needs a place, or nobody else had one for you: end the oldest connection that has not logged in. */
  z.strictObject({ kind: z.literal('giveWay'), to: z.enum(['other', 'nobody']) }),
  /** Say who has many connections. */
  z.strictObject({ kind: z.literal('tell') }),
  /** An operator's question; answers carry its id. */
  z.strictObject({ kind: z.literal('ask'), id: count, request: requestSchema }),
  /** Take no new clients, and end with the last session. */
  z.strictObject({ kind: z.literal('retire') }),
  /** End within the time that the configuration gives to a stop; told again: at once. */
  z.strictObject({ kind: z.literal('stop') }),
]);
export type Order = z.output<typeof orderSchema>;

/** What a child tells the master. */
export const reportSchema = z.discriminatedUnion('kind', [
  /** The configuration, loaded and checked: what a generation of it needs. */
  z.strictObject({
    kind: z.literal('plan'),
    plan: planSchema,
    foreground: foregroundSchema,
    snapshot: z.string(),
  }),
  /** Clients can come. */
  z.strictObject({ kind: z.literal('listening') }),
  /** It cannot do what it was started for, and ends; `reason` is for the operator. */
  z.strictObject({ kind: z.literal('failed'), reason: z.string() }),
  /** A sign of life; without a status it is still starting. */
  z.strictObject({
    kind: z.literal('alive'),
    status: statusSchema.exactOptional(),
    taken: takenSchema.exactOptional(),
  }),
  /** All places are taken, and none here by somebody who has not logged in: have another front end one that has not. */
  z.strictObject({ kind: z.literal('makeRoom') }),
  /** Who has many connections here. Where that is sudden, the others are to hear of it soon. */
  z.strictObject({
    kind: z.literal('crowds'),
    crowds: crowdsSchema,
    why: z.enum(['due', 'sudden', 'asked']),
  }),
  /** Have all fronts say who has many, and tell me what the others have. */
  z.strictObject({ kind: z.literal('look'), look: count }),
  /** Some lines of an answer; its last one is `done` or `error`. */
  z.strictObject({ kind: z.literal('answer'), id: count, lines: z.array(answerLineSchema) }),
  /** It ends by its own choice, when its sessions have: another one is needed now. */
  z.strictObject({ kind: z.literal('leaving') }),
  /** Somebody has logged in: a worker is asked for. Where it `lends` the client's connection, that comes with the message. */
  z.strictObject({
    kind: z.literal('assign'),
    request: count,
    ticket: z.string().max(maxTicketLength),
    facts: connectionFactsSchema,
    lends: z.boolean(),
  }),
  /** A session that a worker runs is to end. */
  z.strictObject({ kind: z.literal('end'), session, how: z.enum(['stopped', 'kicked', 'gone']) }),
]);
export type Report = z.output<typeof reportSchema>;

/** Behind standard input, output, error and the channel to the master. */
export const firstSocketDescriptor = 4;
