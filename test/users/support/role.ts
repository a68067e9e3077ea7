import { runAuth } from '../../../core/server/user/auth.ts';
// One process of the test's daemon: node role.ts auth|worker STATE-FOLDER SPOOL [IDLE-MS].
import { defaultMinUid } from '../../../core/server/user/ticket-gate.ts';
import { runWorker } from '../../../core/server/user/worker.ts';
import { coreOf } from './core.ts';

const [role = '', stateDir = '', spool = '', idleMs = '60000'] = process.argv.slice(2);
const core = coreOf(stateDir, spool);
const minUid = defaultMinUid;
if (role === 'auth') await runAuth(process, { core, minUid });
else await runWorker(process, { core, stateDir, minUid, idleMs: Number(idleMs) });
process.exit();
