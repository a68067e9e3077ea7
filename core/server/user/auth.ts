import type { Core } from '../../core.ts';
import { showWork } from '../process-title.ts';
import { type AuthOrder, authOrderSchema, type AuthReport } from './auth-messages.ts';
import { type MasterEnd, MasterLink } from './master-link.ts';
import { complaintAboutStart } from './rights.ts';
import { serveLogins } from './serve-logins.ts';
import { refuseSystemUid } from './ticket-gate.ts';
import { monotonicMs, newKey, sealTicket, toldKey } from './ticket.ts';

/**
 * The process that checks passwords. It makes the key that seals tickets, and tells it the master, who checks them: no disk and
 * no other process ever sees it. Resolves when it is to exit. Throws where plugins do not start.
 */
export async function runAuth(
  end: MasterEnd,
  { core, minUid }: { readonly core: Core; readonly minUid: number },
): Promise<void> {
  refuseRights(core.settings.authUser);
  const key = newKey();
  const master = new MasterLink<AuthOrder, AuthReport>(end, authOrderSchema);
  const stopped = Promise.withResolvers<void>();
  showWork('popper: auth', core.pluginsAtWork);
  master.ordered = (order, stream) => {
    if (order.kind === 'stop') stopped.resolve();
    else if (stream !== undefined) {
      void serveLogins(stream, {
        core,
        seal(identity, facts, connection) {
          refuseSystemUid(identity.uid, minUid);
          return sealTicket({ identity, facts }, connection, { key, nowMs: monotonicMs() });
        },
      });
    }
  };
  // A plugin that hangs is not to outlive its master.
  await Promise.race([core.hooks.start.promise('auth'), master.gone]);
  master.tell({ kind: 'ready', key: toldKey(key) });
  const alive = (): void => master.tell({ kind: 'alive' });
  setInterval(alive, Math.min(1000, core.settings.blockedTimeoutMs / 4)).unref();
  alive();
  await Promise.race([stopped.promise, master.gone]);
  await core.hooks.stop.promise('auth');
}

/** It was started as the account that it is to be, with one group. */
function refuseRights(account: string | undefined): void {
  if (account === undefined) return;
  const complaint = complaintAboutStart();
  if (complaint !== undefined)
    throw new Error(`passwords are checked with ${complaint}, and not as ${account}`);
}
