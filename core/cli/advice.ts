import type { LoadedConfig } from '../config/load-config.ts';
import type { Located } from '../config/locate-config.ts';
import { nameOf } from '../config/render-problem.ts';
import type { Core } from '../core.ts';
import type { Logger } from '../log/logger.ts';
import type { Advice } from '../server/tls/advice.ts';

/** RFC 1939 section 3: an autologout timer must be of at least ten minutes. */
const shortestIdleMs = 600_000;

/** What is as it may be in a config, and maybe not as its operator meant it. */
export function adviceOnConfig(config: LoadedConfig, workingFolder: string): readonly Advice[] {
  return [...adviceOnUnused(config, workingFolder), ...adviceOnTwins(config)];
}

/** Of files beside the config that the search passed over. */
export function adviceOnUnused({ file, unused }: Located, workingFolder: string): readonly Advice[] {
  if (unused.length === 0) return [];
  const others = unused.map((other) => nameOf(other, workingFolder)).join(', ');
  const what = `${nameOf(file, workingFolder)} is used, and not ${others}`;
  return [{ what, fix: 'remove one, or name one: -c FILE' }];
}

function adviceOnTwins({ plugins }: LoadedConfig): readonly Advice[] {
  const names = plugins.map(({ name }) => name);
  const twins = new Set(names.filter((name, index) => names.indexOf(name) < index));
  return Array.from(twins, (name) => ({
    what: `plugins: ${name} is there more than once`,
    fix: 'leave one in, unless each has its own part; where both could answer, the first one does',
  }));
}

/** The same of what its plugins come to, in this process. */
export function adviceOnCore({ settings, hooks }: Pick<Core, 'settings' | 'hooks'>): readonly Advice[] {
  const advice: Advice[] = [];
  const when = (isSo: boolean, what: string, fix: string): void => void (isSo && advice.push({ what, fix }));
  when(
    settings.idleTimeoutMs < shortestIdleMs,
    'idleTimeoutMs: clients may rely on ten minutes (RFC 1939 section 3)',
    'use 600000 or more',
  );
  when(
    settings.isolation === 'none' && process.geteuid?.() === 0,
    "isolation is 'none' and this is root: every session would be root",
    "run it as a user of its own, or set isolation: 'user'",
  );
  when(
    !hooks.authenticate.isUsed() && !hooks.preface.isUsed(),
    'plugins: none decides logins, so nobody can log in',
    'add one that does, such as auth-passwd or auth-shadow',
  );
  when(
    !hooks.openMaildrop.isUsed(),
    'plugins: none stores mail, so nobody has a maildrop',
    'add one that does, such as store-mbox',
  );
  return advice;
}

/** What `-d` has brought about, for whoever wonders at the length of the log. */
export function tellDebugging({ flags }: Pick<LoadedConfig, 'flags'>, log: Pick<Logger, 'info'>): void {
  if (flags.debug) log.info('debugging is on');
}

/** Puts it where an operator looks who has not asked for it. */
export function logAdvice(advice: readonly Advice[], log: Pick<Logger, 'warn'>): void {
  for (const { what, fix } of advice) log.warn(what, { fix });
}
