import type { Mechanism } from './auth/mechanism.ts';
import { capaOf } from './commands/capa.ts';
import { capabilitiesOf } from './commands/capabilities.ts';
import { deleIn } from './commands/dele.ts';
import { listIn } from './commands/list.ts';
import { passUnder, userUnder } from './commands/login.ts';
import { noop } from './commands/noop.ts';
import { quit } from './commands/quit.ts';
import { retrIn } from './commands/retr.ts';
import { rsetIn } from './commands/rset.ts';
import { stat } from './commands/stat.ts';
import { stls } from './commands/stls.ts';
import { topIn } from './commands/top.ts';
import { uidlIn } from './commands/uidl.ts';
import { classicStyle } from './log/classic-style.ts';
import type { Logger } from './log/logger.ts';
import { plainStyle } from './log/style.ts';
import { ownVersion } from './package-version.ts';
import { ApplyError } from './plugin/apply-error.ts';
import { applyAll } from './plugin/apply.ts';
import { CommandTable } from './plugin/command-table.ts';
import { FactTable } from './plugin/facts.ts';
import { createHooks, type Hooks } from './plugin/hooks.ts';
import { unknownNames } from './plugin/inspect-hooks.ts';
import { logWire } from './plugin/logged-wire.ts';
import type { Plugin } from './plugin/plugin.ts';
import { PluginsAtWork } from './plugin/plugins-at-work.ts';
import { SpoolLockTable } from './plugin/spool-locks.ts';
import type { PluginState } from './plugin/state.ts';
import type { Subcommand } from './plugin/subcommand.ts';
import { Table } from './plugin/table.ts';
import { toldLog } from './plugin/told-log.ts';
import type { Reply } from './protocol/reply.ts';
import { classicReplies } from './replies/classic.ts';
import { plainReplies } from './replies/plain.ts';
import type { Replies } from './replies/replies.ts';
import type { ConnectionFacts } from './session/channel.ts';
import { passwordRefusal } from './session/password-rule.ts';
import type { Settings } from './settings.ts';

/** One generation of the daemon: hooks, tables and settings, complete and frozen before the first session. */
export interface Core {
  readonly hooks: Hooks;
  readonly commands: CommandTable;
  readonly mechanisms: Table<Mechanism>;
  readonly subcommands: Table<Subcommand>;
  readonly facts: FactTable;
  readonly spoolLocks: SpoolLockTable;
  readonly pluginsAtWork: PluginsAtWork;
  readonly settings: Settings;
  readonly replies: Replies;
  readonly log: Logger;
}

/** What a core needs from the process it lives in. */
export interface Surroundings {
  readonly settings: Settings;
  readonly log: Logger;
  readonly state: PluginState;
  readonly baseFolder: string;
  /** Where somebody looks at what plugins do before there is a core. */
  readonly pluginsAtWork?: PluginsAtWork | undefined;
}

/**
 * Applies the plugins in their order. Throws an ApplyError with all that is wrong where a name is taken, a hook's key is
 * unknown, or an `apply` throws.
 */
export function createCore(plugins: readonly Plugin[], surroundings: Surroundings): Core {
  const hooks = createHooks();
  const replies = repliesIn(surroundings.settings);
  const isClassic = surroundings.settings.logStyle === 'classic';
  const log = toldLog(surroundings.log, hooks.log, isClassic ? classicStyle(ownVersion) : plainStyle);
  if (isClassic) logWire(hooks.wire, log);
  const core: Core = {
    hooks,
    commands: new CommandTable(),
    mechanisms: new Table('mechanism'),
    subcommands: new Table('subcommand'),
    facts: new FactTable(),
    spoolLocks: new SpoolLockTable(),
    pluginsAtWork: surroundings.pluginsAtWork ?? new PluginsAtWork(),
    settings: surroundings.settings,
    replies,
    log,
  };
  const capa = capaOf((session) => capabilitiesOf(session, core));
  const refuse = (facts: ConnectionFacts): Reply | undefined => passwordRefusal(facts, surroundings.settings);
  const [user, pass] = [userUnder(refuse), passUnder(refuse, replies)];
  const spoken = [listIn, retrIn, deleIn, rsetIn, topIn, uidlIn].map((commandIn) => commandIn(replies));
  for (const command of [user, pass, quit, stat, noop, ...spoken, capa]) {
    core.commands.add(command, 'popper');
  }
  if (surroundings.settings.tls !== undefined) core.commands.add(stls, 'popper');
  const faults = applyAll(plugins, core, surroundings);
  const { commands, mechanisms, subcommands, facts, spoolLocks } = core;
  for (const table of [commands, mechanisms, subcommands, facts, spoolLocks]) table.freeze();
  const names = { keywords: commands.keywords(), plugins, areComplete: faults.length === 0 };
  const all = [...faults, ...unknownNames(hooks, names)];
  if (all.length > 0) throw new ApplyError(all);
  return core;
}

const repliesIn = ({ replies, hostname }: Settings): Replies =>
  replies === 'classic' ? classicReplies({ hostname, version: ownVersion }) : plainReplies;
