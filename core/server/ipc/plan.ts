import { z } from 'zod';

import type { Settings } from '../../settings.ts';
import { type Placed, placed } from '../activation/sockets-for.ts';
import { firstGivenDescriptor, type GivenSocket } from '../activation/variables.ts';
import { frontCount } from '../front-count.ts';
import { accountOfAuth, accountOfFronts } from '../user/account.ts';
import { groupMail } from '../user/privileges.ts';
import type { Foreground } from './foreground.ts';

const milliseconds = z.int().min(1);

const listenSchema = z.union([
  z.strictObject({ host: z.string().exactOptional(), port: z.int().min(0).max(65_535) }),
  z.strictObject({ path: z.string(), mode: z.int().min(0).max(0o777).exactOptional() }),
  /** A socket that the master was started with. */
  z.strictObject({ inherited: z.string(), descriptor: z.int().min(firstGivenDescriptor) }),
]);

const id = z.int().min(0).max(0xfffffffe);

/** What `isolation: 'user'` needs besides. */
const usersPlanSchema = z.strictObject({
  stateDir: z.string(),
  /** Whom fronts run as. */
  front: z.strictObject({ uid: id, gid: id }),
  /** Whom the process that checks passwords runs as, unless it is root. */
  auth: z.strictObject({ uid: id, gid: id }).exactOptional(),
  /** Group mail, where the system has one: the locker's only one. */
  mailGroup: id.exactOptional(),
  minUid: id,
  sessionsPerUser: z.int().min(1).exactOptional(),
  spares: z.int().min(0),
  maxUsers: z.int().min(1),
  patienceMs: milliseconds,
  /** The files that fronts may not read themselves. */
  tls: z.strictObject({ certificate: z.string(), key: z.string() }).exactOptional(),
});
export type UsersPlan = z.output<typeof usersPlanSchema>;

/** What the master needs to know of a configuration, which it never loads itself: that is code. */
export const planSchema = z.strictObject({
  fronts: z.int().min(1),
  listen: z.array(listenSchema),
  blockedTimeoutMs: milliseconds,
  retireTimeoutMs: milliseconds,
  /** Whether SO_DEBUG is to be turned on where clients arrive. */
  socketDebug: z.boolean(),
  /** With `isolation: 'user'`. */
  users: usersPlanSchema.exactOptional(),
});
export type Plan = z.output<typeof planSchema>;

/** A configuration that has been checked. */
export interface Checked {
  readonly plan: Plan;
  readonly foreground: Foreground;
  /** All of it, as it was read: for its processes, by which nothing else is loaded however the files change. The master looks at none of it. */
  readonly snapshot: string;
}

/**
 * `given` are the sockets that the master was started with. Throws an Error for the operator where one is missing, and where
 * this process cannot do what `isolation: 'user'` asks for.
 */
export function planOf(settings: Settings, given: readonly GivenSocket[] = []): Plan {
  const { listen, blockedTimeoutMs, retireTimeoutMs, socketDebug, isolation } = settings;
  return {
    fronts: frontCount(settings),
    listen: placed(listen, given).map(placeOf),
    blockedTimeoutMs,
    retireTimeoutMs,
    socketDebug,
    ...(isolation === 'user' && { users: usersPlanOf(settings) }),
  };
}

function usersPlanOf({ stateDir, user, authUser, minUid, limits, workers, tls }: Settings): UsersPlan {
  const { sessionsPerUser } = limits;
  const { spares, maxUsers, patienceMs } = workers;
  const mailGroup = groupMail();
  const front = accountOfFronts(user);
  return {
    stateDir,
    front,
    ...(authUser !== undefined && { auth: accountOfAuth(authUser, { fronts: front, minUid }) }),
    ...(mailGroup !== undefined && { mailGroup }),
    minUid,
    ...(sessionsPerUser !== undefined && { sessionsPerUser }),
    spares,
    maxUsers,
    patienceMs,
    ...(tls && { tls: { certificate: tls.certificate, key: tls.key } }),
  };
}

/** Where it is, without what is done there: the master does none of that. */
function placeOf(listen: Placed): Plan['listen'][number] {
  if ('inherited' in listen) return { inherited: listen.inherited, descriptor: listen.descriptor };
  if ('path' in listen) return { path: listen.path, ...(listen.mode !== undefined && { mode: listen.mode }) };
  return { port: listen.port, ...(listen.host !== undefined && { host: listen.host }) };
}
