import type { Core, Surroundings } from '../core.ts';
import type { Logger } from '../log/logger.ts';
import { loggerTo } from '../log/logger.ts';
import { guardCommand } from './guard-command.ts';
import type { Popper } from './plugin.ts';
import { tapsFor } from './taps.ts';

/**
 * These may have much to read or redo, and openMaildrop waits for other sessions to let go; a deadline for them is a limit
 * on madness, not on work.
 */
const patientHooks = new Set(['start', 'recover', 'openMaildrop']);
const patient = { slowAfterMs: 5000, deadlineMs: 600_000 };
const slowAfterMs = 1000;

/** What one plugin gets: not the core itself, but what the `Popper` interface promises and no more. */
export function popperFor(plugin: string, core: Core, { log, state, baseFolder }: Surroundings): Popper {
  const named = loggerOf(plugin, log);
  const { hookDeadlineMs } = core.settings;
  const timesOf = (hook: string) =>
    patientHooks.has(hook)
      ? { ...patient, deadlineMs: Math.max(patient.deadlineMs, hookDeadlineMs) }
      : { slowAfterMs, deadlineMs: hookDeadlineMs };
  return Object.freeze({
    hooks: tapsFor(core.hooks, { plugin, log, timesOf }),
    commands: Object.freeze({
      add: (command) =>
        core.commands.add(
          guardCommand(command, { plugin, log, slowAfterMs, deadlineMs: hookDeadlineMs }),
          plugin,
        ),
    }),
    mechanisms: Object.freeze({ add: (mechanism) => core.mechanisms.add(mechanism.name, mechanism, plugin) }),
    subcommands: Object.freeze({
      add: (subcommand) => core.subcommands.add(subcommand.name, subcommand, plugin),
    }),
    facts: Object.freeze({ add: (definition) => core.facts.declare(definition, plugin) }),
    state,
    baseFolder,
    log: named,
  } satisfies Popper);
}

const loggerOf = (plugin: string, log: Logger): Logger =>
  loggerTo(({ level, message, fields }) => log[level](message, { plugin, ...fields }));
