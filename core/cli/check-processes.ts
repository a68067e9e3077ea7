import { messageOf } from '../config/error-facts.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { loggerTo } from '../log/logger.ts';
import { printable } from '../log/sanitise.ts';
import { longestStartMs } from '../server/ipc/longest-start.ts';
import { Child } from '../server/master/child.ts';
import { StartPatience } from '../server/master/start-patience.ts';
import type { Account } from '../server/user/account.ts';
import type { Findings } from './check-tls.ts';
import type { Accounts } from './check-users.ts';
import { childProgram } from './child-program.ts';
import { withChild } from './with-child.ts';

/** What a plugin says of itself may be anything, in octets. */
const longestReason = 1000;

/** Whether those who are not root can load popper, the plugins and the configuration: each tries, in a process that does no more. */
export async function checkProcesses(
  config: LoadedConfig,
  { front, auth }: Accounts,
  findings: Findings,
): Promise<void> {
  const { user } = config.settings;
  if (front) await tryToLoad(config, { name: user, ...front }, findings);
  if (auth) await tryToLoad(config, auth, findings);
}

async function tryToLoad(
  config: LoadedConfig,
  { name, uid, gid }: Account & { readonly name: string },
  findings: Findings,
): Promise<void> {
  const program = childProgram({ file: config.file, flags: config.flags });
  const log = loggerTo(() => {});
  const child = Child.start('trial', { program, snapshot: config.snapshot(), as: { uid, gid }, log });
  let reason: string | undefined;
  child.heard = (report) => {
    if (report.kind === 'failed') ({ reason } = report);
  };
  try {
    const patience = new StartPatience(longestStartMs, 'load the configuration');
    const { exitCode, error } = await withChild(child, patience.with(child.ended, child));
    if (exitCode !== 0) throw error ?? new Error(reason ?? 'the process ended before it had');
  } catch (error) {
    const why = printable(messageOf(error), longestReason);
    findings.problem(
      `isolation: a process of ${name} cannot load the configuration: ${why}`,
      `let ${name} read popper and the plugins that are installed (chmod -R go+rX on their folder), and reach those folders; where he can, take out the plugin that it is about: popper would not start`,
    );
  }
}
