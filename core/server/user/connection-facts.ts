import { z } from 'zod';

import type { ConnectionFacts } from '../../session/channel.ts';

const peer = z.strictObject({ address: z.string().max(128), port: z.int().min(0).max(65_535) });

/** What is known of a connection, as it goes to another process: all but the signal. */
export const connectionFactsSchema = z.strictObject({
  id: z.string().min(1).max(128),
  peer,
  local: peer,
  secure: z.boolean(),
  tls: z.strictObject({ protocol: z.string().max(64), cipher: z.string().max(128) }).exactOptional(),
});
export type CarriedConnectionFacts = z.output<typeof connectionFactsSchema>;

export const carried = ({ id, peer: from, local, secure, tls }: ConnectionFacts): CarriedConnectionFacts => ({
  id,
  peer: from,
  local,
  secure,
  ...(tls && { tls }),
});
