import { z } from 'zod';

import { counted } from '../counted.ts';

const tally = z.object({ messages: z.number(), octets: z.number() });

/** What a log's line says of a session that is over: the fields of its `SessionReport` that a person looks for. */
const sessionLine = z.object({
  msg: z.literal('session'),
  session: z.string(),
  address: z.string(),
  user: z.string().optional(),
  tls: z.object({ protocol: z.string() }).optional(),
  ending: z.string(),
  failure: z.object({ code: z.string().optional(), reason: z.string() }).optional(),
  retrieved: tally,
  deleted: tally,
  left: tally,
  durationMs: z.number(),
});

type SessionLine = z.infer<typeof sessionLine>;

/** The line of a session as a sentence, with pino's own fields beside it; undefined for any other record. */
export function readableSession(record: unknown): object | undefined {
  const parsed = sessionLine.safeParse(record);
  if (!parsed.success) return undefined;
  const { level, time } = z.object({ level: z.unknown(), time: z.unknown() }).parse(record);
  return { level, time, msg: sentence(parsed.data) };
}

function sentence(line: SessionLine): string {
  const { session, user, address, tls, ending, durationMs } = line;
  const whose = user === undefined ? '' : ` of ${user}`;
  const how = tls === undefined ? '' : ` by ${tls.protocol}`;
  const end = `${ending} after ${(durationMs / 1000).toFixed(1)} s`;
  return `session ${session}${whose} from ${address}${how}: ${end}${failureOf(line)}${mailOf(line)}`;
}

function failureOf({ failure }: SessionLine): string {
  if (failure === undefined) return '';
  return `, ${failure.code === undefined ? '' : `[${failure.code}] `}${failure.reason}`;
}

/** Who has not logged in has no mail to tell of. */
function mailOf({ user, retrieved, deleted, left }: SessionLine): string {
  if (user === undefined) return '';
  const read = `${counted(retrieved.messages, 'message')} read (${counted(retrieved.octets, 'octet')})`;
  return `; ${read}, ${deleted.messages} deleted, ${left.messages} left`;
}
