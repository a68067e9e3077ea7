// One process of the test's daemon: node role.ts auth|worker|locker STATE-FOLDER SPOOL [IDLE-MS].
import { State } from '../../../core/server/state.ts';
import { runAuth } from '../../../core/server/user/auth.ts';
import { runLocker } from '../../../core/server/user/locker.ts';
import { lockersFolderOf } from '../../../core/server/user/own-folder.ts';
import { runWorker } from '../../../core/server/user/worker.ts';
import { coreOf } from './core.ts';
import { minUid } from './site.ts';

const [role = '', stateDir = '', spool = '', idleMs = '60000'] = process.argv.slice(2);
const core = coreOf(role === 'locker' ? lockersFolderOf(stateDir) : stateDir, spool);
if (role === 'auth') await runAuth(process, { core, minUid });
else if (role === 'locker') await runLocker(process, { core, orphanPatienceMs: 300 });
else {
  const state = new State(stateDir);
  await runWorker(process, { core, state, stateDir, minUid, lateMs: 0, idleMs: Number(idleMs) });
}
process.exit();
