import { z } from 'zod';

/** What the master tells the auth process. */
export const authOrderSchema = z.discriminatedUnion('kind', [
  /** The stream of one front comes with the message. */
  z.strictObject({ kind: z.literal('front') }),
  /** End, when the logins at work are decided. */
  z.strictObject({ kind: z.literal('stop') }),
]);
export type AuthOrder = z.output<typeof authOrderSchema>;

/** What it tells the master. */
export const authReportSchema = z.discriminatedUnion('kind', [
  /** It can be asked, and its tickets are sealed with this key, which is the master's secret, too. */
  z.strictObject({ kind: z.literal('ready'), key: z.base64().length(44) }),
  /** A sign of life. */
  z.strictObject({ kind: z.literal('alive') }),
  /** It cannot do what it was started for, and ends; `reason` is for the operator. */
  z.strictObject({ kind: z.literal('failed'), reason: z.string() }),
]);
export type AuthReport = z.output<typeof authReportSchema>;
