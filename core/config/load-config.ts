import { dirname, join, resolve } from 'node:path';

import type { ApplyFault } from '../plugin/apply-error.ts';
import type { Plugin } from '../plugin/plugin.ts';
import type { ControlAddress, Listen, Settings, TlsSettings } from '../settings.ts';
import { callConfig } from './call-config.ts';
import { findConfig } from './find-config.ts';
import { missingKerberos, unheededFlags } from './flag-problems.ts';
import { type Flags, noFlags } from './flags.ts';
import { listenProblems } from './listen-problems.ts';
import { systemFolder } from './locate-config.ts';
import { makeNamedPlugins } from './named-plugins.ts';
import { checkPlugins, type PlacedPlugin } from './plugin-entries.ts';
import { optionProblems } from './plugin-options.ts';
import { ConfigError, type ConfigProblem } from './problem.ts';
import type { Reading } from './reading.ts';
import { schemaProblems } from './schema-problems.ts';
import { type CompleteConfig, configSchema } from './schema.ts';
import { valueAt } from './show-value.ts';
import { readSnapshot, snapshotOf } from './snapshot.ts';
import type { Source } from './source.ts';
import { type Runner, thisRunner } from './trust.ts';
import { isData } from './written.ts';

/** A configuration that has been checked: complete, and with every path absolute. */
export interface LoadedConfig {
  readonly file: string;
  /** What the command line said, which it may have read. */
  readonly flags: Flags;
  /** The config file's folder: relative paths are taken from here. */
  readonly baseFolder: string;
  readonly settings: Settings;
  readonly log: CompleteConfig['log'];
  /** In the order in which they are to be applied. None has problems with its options. */
  readonly plugins: readonly Plugin[];
  /** Config files beside this one, which the search passed over. */
  readonly unused: readonly string[];
  /** The config as it was read, for `LoadOptions.snapshot` in another process. */
  snapshot(): string;
  /** A problem that shows only when plugins are applied, with the place of the plugin that has it. */
  blame(fault: ApplyFault): ConfigProblem;
}

export interface LoadOptions {
  /** The config file; undefined to search for it. */
  readonly file?: string | undefined;
  /** In the place of files: the config as another process has read it. */
  readonly snapshot?: string | undefined;
  readonly flags?: Flags;
  /** Default: the current directory. */
  readonly workingFolder?: string;
  /** Where to search after the working folder. Default: /etc/popper. */
  readonly otherFolders?: readonly string[];
  readonly runner?: Runner;
}

/**
 * Finds, reads and checks the config. Throws a ConfigError with all of its problems, or a NoConfigError where there is none
 * to look at. Plugins are made, and not yet applied.
 */
export async function loadConfig(options: LoadOptions = {}): Promise<LoadedConfig> {
  const { flags = noFlags, workingFolder = process.cwd(), otherFolders = [systemFolder] } = options;
  const { runner = thisRunner(), file, snapshot } = options;
  const found = await (snapshot === undefined
    ? findConfig({ file, workingFolder, otherFolders, runner })
    : readSnapshot(snapshot));
  const { source, value: exported, problems } = sound(found.reading);
  const { value } = sound(callConfig(exported, flags, source));
  const before = [...(problems ?? []), ...unheededFlags(exported, flags, source)];
  const { config, plugins } = await check(value, { source, flags, before });
  const baseFolder = dirname(found.file);
  return {
    file: found.file,
    flags,
    baseFolder,
    settings: settingsOf(config, baseFolder),
    log: config.log,
    plugins: plugins.map(({ plugin }) => plugin),
    unused: found.unused,
    snapshot: () => snapshotOf({ ...source, file: found.file }),
    blame: ({ plugin, what, fix }) => ({ source, span: placeOfPlugin(plugin, plugins, source), what, fix }),
  };
}

function sound(reading: Reading): Extract<Reading, { readonly value: unknown }> {
  if ('value' in reading) return reading;
  throw new ConfigError(reading.problems);
}

interface Checking {
  readonly source: Source;
  readonly flags: Flags;
  /** What is wrong with it for other reasons. */
  readonly before: readonly ConfigProblem[];
}

/** Schema, plugins and their options are looked at in one go, so that nobody has to mend a config step by step. */
async function check(value: unknown, { source, flags, before }: Checking) {
  const result = configSchema.safeParse(value);
  const { plugins, problems } = await pluginsIn(value, source);
  const wrong = result.success ? [] : schemaProblems(result.error.issues, value, source);
  const all = [...before, ...wrong, ...listenProblems(value, source), ...problems];
  all.push(
    ...missingKerberos(
      plugins.map(({ plugin }) => plugin),
      flags,
      source,
    ),
  );
  if (!result.success || all.length > 0) throw new ConfigError(all);
  return { config: result.data, plugins };
}

async function pluginsIn(value: unknown, source: Source) {
  const list = valueAt(value, ['plugins']);
  const entries: readonly unknown[] = Array.isArray(list) ? list : [];
  const made = isData(source.file) ? await makeNamedPlugins(entries, source) : { entries, problems: [] };
  const { plugins, problems } = checkPlugins(made.entries, source);
  return { plugins, problems: [...made.problems, ...problems, ...optionProblems(plugins, source)] };
}

function settingsOf(config: CompleteConfig, baseFolder: string): Settings {
  return {
    listen: config.listen.map((listen) => addressOf(listen, baseFolder)),
    stateDir: resolve(baseFolder, config.stateDir),
    control: controlAddressOf(config, baseFolder),
    tls: tlsOf(config, baseFolder),
    cleartextLogin: config.cleartextLogin,
    idleTimeoutMs: config.idleTimeoutMs,
    loginTimeoutMs: config.loginTimeoutMs,
    stopTimeoutMs: config.stopTimeoutMs,
    maxAuthFailures: config.maxAuthFailures,
    hookDeadlineMs: config.hookDeadlineMs,
    limits: config.limits,
    fronts: config.fronts,
    blockedTimeoutMs: config.blockedTimeoutMs,
    retireTimeoutMs: config.retireTimeoutMs,
    isolation: config.isolation,
    user: config.user,
    authUser: config.authUser,
    minUid: config.minUid,
    workers: config.workers,
    replies: config.replies,
    hostname: config.hostname,
    updateOnAbort: config.updateOnAbort,
    socketDebug: config.socketDebug,
    logStyle: config.logStyle,
  };
}

/** Beside the state, unless the config names another place. */
function controlAddressOf(
  { control, stateDir }: Pick<CompleteConfig, 'control' | 'stateDir'>,
  baseFolder: string,
): ControlAddress | undefined {
  if (control === false) return undefined;
  const { path = join(stateDir, 'control.sock'), mode, group } = control;
  return {
    path: resolve(baseFolder, path),
    ...(mode !== undefined && { mode }),
    ...(group !== undefined && { group }),
  };
}

function tlsOf({ tls }: Pick<CompleteConfig, 'tls'>, baseFolder: string): TlsSettings | undefined {
  if (tls === undefined) return undefined;
  const { certificate, key, minVersion } = tls;
  return { certificate: resolve(baseFolder, certificate), key: resolve(baseFolder, key), minVersion };
}

function addressOf(listen: CompleteConfig['listen'][number], baseFolder: string): Listen {
  const { host, port, tls, path, mode, inherited } = listen;
  const proxy = listen.proxy && { proxy: listen.proxy };
  if (path !== undefined) {
    return { path: resolve(baseFolder, path), ...(mode !== undefined && { mode }), ...proxy };
  }
  if (inherited !== undefined) return { inherited, ...(tls !== undefined && { tls }), ...proxy };
  if (port === undefined) throw new TypeError('listen: neither port nor path, which the schema refuses');
  return { port, ...(host !== undefined && { host }), ...(tls !== undefined && { tls }), ...proxy };
}

function placeOfPlugin(plugin: Plugin | undefined, plugins: readonly PlacedPlugin[], source: Source) {
  const placed = plugins.findLast((one) => one.plugin === plugin);
  return placed && source.locate(['plugins', placed.index]);
}
