import type { Core, Surroundings } from '../core.ts';
import type { Logger } from '../log/logger.ts';
import { loggerTo } from '../log/logger.ts';
import { type ApplyFault, faultIn } from './apply-error.ts';
import { guardCommand } from './guard-command.ts';
import type { Plugin, Popper } from './plugin.ts';
import { shownLockKind } from './shown-lock-kind.ts';
import { strict } from './strict.ts';
import { tapsFor } from './taps.ts';

/**
 * These may have much to read or redo, and openMaildrop waits for other sessions to let go; a deadline for them is a limit
 * on madness, not on work.
 */
const patientHooks = new Set(['start', 'recover', 'openMaildrop', 'maildrop']);
const patient = { slowAfterMs: 5000, deadlineMs: 600_000 };
const slowAfterMs = 1000;

/**
 * Applies the plugins in their order and gives what went wrong, of each the first thing: whoever mends a config wants to
 * do so once.
 */
export function applyAll(
  plugins: readonly Plugin[],
  core: Core,
  surroundings: Surroundings,
): readonly ApplyFault[] {
  return plugins.flatMap((plugin) => {
    const piece = core.pluginsAtWork.began(plugin.name, 'apply');
    try {
      const answer: unknown = plugin.apply(popperFor(plugin.name, core, surroundings));
      return answer instanceof Promise ? [applyIsAsync(plugin, answer)] : [];
    } catch (error) {
      return [faultIn(plugin, error)];
    } finally {
      core.pluginsAtWork.ended(piece);
    }
  });
}

function applyIsAsync(plugin: Plugin, answer: Promise<unknown>): ApplyFault {
  // Nobody waits for it, so nobody would hear of its failure either.
  answer.catch(() => {});
  const what = `${plugin.name}: its apply() is async, and what it adds later comes too late`;
  return { plugin, what, fix: 'make apply() a plain function; what has to wait goes into a tap of start' };
}

/** What one plugin gets: not the core itself, but what the `Popper` interface promises and no more. */
function popperFor(plugin: string, core: Core, { log: ownLog, state, baseFolder }: Surroundings): Popper {
  const { log, pluginsAtWork: atWork } = core;
  const named = loggerOf(plugin, log);
  const { hookDeadlineMs } = core.settings;
  const timesOf = (hook: string) =>
    patientHooks.has(hook)
      ? { ...patient, deadlineMs: Math.max(patient.deadlineMs, hookDeadlineMs) }
      : { slowAfterMs, deadlineMs: hookDeadlineMs };
  const popper = Object.freeze({
    hooks: strict('popper.hooks', tapsFor(core.hooks, { plugin, log, ownLog, atWork, timesOf })),
    commands: Object.freeze({
      add: (command) =>
        core.commands.add(
          guardCommand(command, { plugin, log, atWork, slowAfterMs, deadlineMs: hookDeadlineMs }),
          plugin,
        ),
    }),
    mechanisms: Object.freeze({ add: (mechanism) => core.mechanisms.add(mechanism.name, mechanism, plugin) }),
    subcommands: Object.freeze({
      add: (subcommand) => core.subcommands.add(subcommand.name, subcommand, plugin),
    }),
    facts: Object.freeze({ add: (definition) => core.facts.declare(definition, plugin) }),
    spoolLocks: Object.freeze({
      add: (kind) => core.spoolLocks.add(shownLockKind(kind, { plugin, atWork }), plugin),
    }),
    state,
    baseFolder,
    log: named,
  } satisfies Popper);
  return strict('popper', popper);
}

const loggerOf = (plugin: string, log: Logger): Logger =>
  loggerTo(({ level, message, fields }) => log[level](message, { plugin, ...fields }));
