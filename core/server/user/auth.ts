import { generateKeyPairSync } from 'node:crypto';

import { z } from 'zod';

import type { Core } from '../../core.ts';
import { type MasterEnd, MasterLink } from './master-link.ts';
import { serveLogins } from './serve-logins.ts';
import { refuseSystemUid } from './ticket-gate.ts';
import { monotonicMs, sealTicket } from './ticket.ts';

/** What the master tells the auth process. */
export const authOrderSchema = z.discriminatedUnion('kind', [
  /** The stream of one front comes with the message. */
  z.strictObject({ kind: z.literal('front') }),
  /** End, when the logins at work are decided. */
  z.strictObject({ kind: z.literal('stop') }),
]);
export type AuthOrder = z.output<typeof authOrderSchema>;

/** What it tells the master: it can be asked, and its tickets are checked with this key (DER, SPKI, base64). */
export const authReportSchema = z.strictObject({ kind: z.literal('ready'), publicKey: z.base64().max(256) });
export type AuthReport = z.output<typeof authReportSchema>;

/**
 * The process that checks passwords. It alone has the key that seals tickets, in its memory: no disk and no other process
 * ever sees it. Resolves when it is to exit. Throws where plugins do not start.
 */
export async function runAuth(
  end: MasterEnd,
  { core, minUid }: { readonly core: Core; readonly minUid: number },
): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const master = new MasterLink<AuthOrder, AuthReport>(end, authOrderSchema);
  const stopped = Promise.withResolvers<void>();
  process.title = 'popper: auth';
  await core.hooks.start.promise('auth');
  master.ordered = (order, stream) => {
    if (order.kind === 'stop') stopped.resolve();
    else if (stream !== undefined) {
      void serveLogins(stream, {
        core,
        seal(identity, facts, connection) {
          refuseSystemUid(identity.uid, minUid);
          return sealTicket({ identity, facts }, connection, { privateKey, nowMs: monotonicMs() });
        },
      });
    }
  };
  const key = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  master.tell({ kind: 'ready', publicKey: key });
  await Promise.race([stopped.promise, master.gone]);
  await core.hooks.stop.promise('auth');
}
