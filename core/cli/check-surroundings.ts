import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

import { codeOf, messageOf } from '../config/error-facts.ts';
import { ask, NoAnswer } from '../server/control/client.ts';
import { protocolVersion, statusSchema } from '../server/control/messages.ts';
import { addressOf } from '../server/listener.ts';
import { canShareSockets, Sockets } from '../server/master/sockets.ts';
import { faultOfFolder } from '../server/state-folder.ts';
import type { Settings } from '../settings.ts';
import type { Findings } from './check-tls.ts';

/** What `popper check` says of the folder for state and of the ports: whether this machine lets popper have them. */
export async function checkSurroundings(settings: Settings, findings: Findings): Promise<void> {
  const fault = await faultOfFolder(settings.stateDir);
  if (fault) findings.problem(`stateDir: ${fault.what}`, fault.fix);
  if (await isRunning(settings)) findings.fine('a popper is running with this config, and has its ports');
  else for (const where of settings.listen) await checkPort(where, findings);
}

/** Whether somebody answers on the control socket. */
async function isRunning({ control }: Settings): Promise<boolean> {
  if (control === undefined) return false;
  try {
    await ask(control.path, { version: protocolVersion, command: 'status' }, statusSchema);
    return true;
  } catch (error) {
    if (error instanceof NoAnswer) return false;
    throw error;
  }
}

/** Whether its folder is there. It is not bound, for that would leave a file. */
async function checkSocketFile(path: string, findings: Findings): Promise<void> {
  const folder = dirname(path);
  const isThere = (await stat(folder).catch(() => undefined))?.isDirectory() === true;
  if (isThere) return;
  findings.problem(
    `listen: there is no folder ${folder} for ${basename(path)}`,
    'make it, or mend the path; one in /run is gone after a restart of the machine, but for RuntimeDirectory= of the unit',
  );
}

/**
 * Binds it, and lets it go before any client could come: bound is not open. A warning and no problem: at another time, or as
 * another user, it may be as it should; but a name that stands for no address is a problem.
 */
async function checkPort(where: Settings['listen'][number], findings: Findings): Promise<void> {
  // Whoever starts popper opens an inherited socket for it, and not for a check.
  if ('path' in where) return checkSocketFile(where.path, findings);
  if ('inherited' in where || !canShareSockets) return;
  const { host, port } = where;
  const sockets = new Sockets();
  try {
    await sockets.open([{ port, ...(host !== undefined && { host }) }]);
  } catch (error) {
    const code = codeOf(error instanceof Error ? error.cause : undefined);
    const what = `listen: ${messageOf(error)}`;
    if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
      findings.problem(what, 'write the address in place of the name');
    else findings.warning(what, fixes.get(code) ?? otherwise(addressOf(where)));
  } finally {
    sockets.close();
  }
}

const fixes: ReadonlyMap<unknown, string> = new Map([
  ['EADDRINUSE', 'if that is the popper which runs already, all is well; otherwise see ss -ltnp'],
  ['EACCES', 'check as the user that serves; with systemd, AmbientCapabilities=CAP_NET_BIND_SERVICE'],
  ['EADDRNOTAVAIL', 'use an address of this machine (see ip address), or leave host out for all of them'],
]);

const otherwise = (address: string): string => `see to it that ${address} can be had, or change listen`;
