import { pathToFileURL } from 'node:url';

import { capabilitiesOf } from '../commands/capabilities.ts';
import { nameOf } from '../config/render-problem.ts';
import type { Core } from '../core.ts';
import { createLogger } from '../log/pino-log.ts';
import { packageVersion } from '../package-version.ts';
import { inspectHooks } from '../plugin/inspect-hooks.ts';
import type { AuthorizationSession } from '../session/session.ts';
import type { CliIo } from './cli-io.ts';
import { type Configured, configure, type NamedConfig } from './configure.ts';
import { exitCode } from './exit-code.ts';
import { explain } from './explain.ts';

/** `popper plugins`: what the config adds up to, in the order in which it acts. */
export async function plugins(named: NamedConfig, io: CliIo): Promise<number> {
  const { stdout, stderr, workingFolder, otherFolders } = io;
  try {
    const configured = await configure({
      ...named,
      workingFolder,
      otherFolders,
      openLog: () => createLogger({ level: 'warn', format: 'auto', stream: stderr }),
    });
    stdout.write(overview(configured, workingFolder));
    return exitCode.done;
  } catch (error) {
    return explain(error, stderr, workingFolder);
  }
}

function overview({ config, core }: Configured, workingFolder: string): string {
  return [
    section(
      `Plugins of ${nameOf(config.file, workingFolder)}`,
      config.plugins.map(({ name }) => [name, versionOf(name, config.file)]),
    ),
    section('Hooks, in the order in which plugins run', hookRows(core)),
    section('Commands', commandRows(core)),
    section(
      'Capabilities (CAPA)',
      capabilitiesOf(nobody, core).map((line) => [line]),
    ),
    section('Mechanisms (AUTH)', ownedRows(core.mechanisms.entries())),
    section('Subcommands of popper', ownedRows(core.subcommands.entries())),
  ].join('\n');
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  const widest: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widest[index] = Math.max(widest[index] ?? 0, cell.length);
  }
  const lines = rows.map((row) => row.map((cell, index) => cell.padEnd(widest[index] ?? 0)).join('  '));
  return `${title}\n${(lines.length > 0 ? lines : ['none']).map((line) => `  ${line.trimEnd()}\n`).join('')}`;
}

const hookRows = (core: Core): readonly (readonly string[])[] =>
  inspectHooks(core.hooks)
    .filter(({ taps }) => taps.length > 0)
    .map(({ name, taps }) => [name, taps.map((tap) => tap.name).join(', ')]);

const commandRows = (core: Core): readonly (readonly string[])[] =>
  [...core.commands.entries()].map(({ value, owner }) => [value.keyword, value.states.join(' '), owner]);

const ownedRows = (
  entries: Iterable<{ readonly name: string; readonly owner: string }>,
): readonly (readonly string[])[] => [...entries].map(({ name, owner }) => [name, owner]);

/** The version of the package a plugin most likely came from; none for one that lies beside the config. */
function versionOf(plugin: string, configFile: string): string {
  for (const base of [pathToFileURL(configFile).href, import.meta.url]) {
    const version = packageVersion(`popper-plugin-${plugin}`, base);
    if (version !== undefined) return version;
  }
  return '';
}

/** A client before login, over a plain connection: capabilities can depend on who asks. */
const nobody: AuthorizationSession = {
  state: 'AUTHORIZATION',
  claimedUser: undefined,
  id: 'popper-plugins',
  peer: { address: '127.0.0.1', port: 0 },
  local: { address: '127.0.0.1', port: 110 },
  secure: false,
  signal: new AbortController().signal,
};
