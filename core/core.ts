import type { Mechanism } from './auth/mechanism.ts';
import { capaOf } from './commands/capa.ts';
import { capabilitiesOf } from './commands/capabilities.ts';
import { dele } from './commands/dele.ts';
import { list } from './commands/list.ts';
import { passUnder, userUnder } from './commands/login.ts';
import { noop } from './commands/noop.ts';
import { quit } from './commands/quit.ts';
import { retr } from './commands/retr.ts';
import { rset } from './commands/rset.ts';
import { stat } from './commands/stat.ts';
import { stls } from './commands/stls.ts';
import { top } from './commands/top.ts';
import { uidl } from './commands/uidl.ts';
import type { Logger } from './log/logger.ts';
import { popperFor } from './plugin/apply.ts';
import { CommandTable } from './plugin/command-table.ts';
import { FactTable } from './plugin/facts.ts';
import { createHooks, type Hooks } from './plugin/hooks.ts';
import { refuseUnknownNames } from './plugin/inspect-hooks.ts';
import type { Plugin } from './plugin/plugin.ts';
import type { PluginState } from './plugin/state.ts';
import type { Subcommand } from './plugin/subcommand.ts';
import { Table } from './plugin/table.ts';
import { toldLog } from './plugin/told-log.ts';
import type { Reply } from './protocol/reply.ts';
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
  readonly settings: Settings;
  readonly log: Logger;
}

/** What a core needs from the process it lives in. */
export interface Surroundings {
  readonly settings: Settings;
  readonly log: Logger;
  readonly state: PluginState;
  readonly baseFolder: string;
}

/**
 * Applies the plugins in their order. Throws a TypeError that names the plugin where a name is taken, a hook's key is
 * unknown, or an `apply` throws.
 */
export function createCore(plugins: readonly Plugin[], surroundings: Surroundings): Core {
  const hooks = createHooks();
  const log = toldLog(surroundings.log, hooks.log);
  const core: Core = {
    hooks,
    commands: new CommandTable(),
    mechanisms: new Table('mechanism'),
    subcommands: new Table('subcommand'),
    facts: new FactTable(),
    settings: surroundings.settings,
    log,
  };
  const capa = capaOf((session) => capabilitiesOf(session, core));
  const refuse = (facts: ConnectionFacts): Reply | undefined => passwordRefusal(facts, surroundings.settings);
  const [user, pass] = [userUnder(refuse), passUnder(refuse)];
  for (const command of [user, pass, quit, stat, list, retr, dele, noop, rset, top, uidl, capa]) {
    core.commands.add(command, 'popper');
  }
  if (surroundings.settings.tls !== undefined) core.commands.add(stls, 'popper');
  for (const plugin of plugins) plugin.apply(popperFor(plugin.name, core, { ...surroundings, log }));
  for (const table of [core.commands, core.mechanisms, core.subcommands, core.facts]) table.freeze();
  refuseUnknownNames(core.hooks, (keyword) => core.commands.has(keyword));
  return core;
}
