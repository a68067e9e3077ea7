import { resolve } from 'node:path';

import type { Command } from 'commander';
import { z } from 'zod';

import { ConfigError, NoConfigError } from '../../config/problem.ts';
import { nameOf } from '../../config/render-problem.ts';
import { printable } from '../../log/sanitise.ts';
import { NoAnswer, Refused } from '../../server/control/client.ts';
import type { CliIo } from '../cli-io.ts';
import type { NamedConfig } from '../configure.ts';
import { exitCode } from '../exit-code.ts';
import { explain } from '../explain.ts';
import type { ControlCommand } from './control-command.ts';
import { drain } from './drain.ts';
import { kick } from './kick.ts';
import { reload } from './reload.ts';
import { status } from './status.ts';
import { unlock } from './unlock.ts';
import { who } from './who.ts';

const commands: readonly ControlCommand[] = [status, who, kick, unlock, reload, drain];

/** The words of `popper` that ask a daemon which runs. */
export const controlWords: readonly string[] = commands.map(({ usage }) => usage.split(' ')[0] ?? usage);

export interface Around {
  readonly io: CliIo;
  /** Throws a WrongOption. */
  readonly named: () => NamedConfig;
  /** Is given the exit code. */
  readonly ended: (code: number) => void;
}

/** Adds them to the program. */
export function addControlCommands(program: Command, around: Around): void {
  for (const command of commands) {
    const added = program
      .command(command.usage)
      .description(command.summary)
      .option('--socket <path>', "the daemon's control socket; without it, the one that the config names")
      .option('--json', 'print the answer as JSON, one object a line');
    added.action(async () => around.ended(await run(command, added, around)));
  }
}

const options = z.object({ socket: z.string().optional(), json: z.boolean().optional() });

async function run(command: ControlCommand, asked: Command, { io, named }: Around): Promise<number> {
  const { socket, json = false } = options.parse(asked.opts());
  const [target = ''] = asked.args;
  try {
    const path = socket === undefined ? await socketOf(named(), io) : resolve(io.workingFolder, socket);
    return await command.run({ path, target, json, io });
  } catch (error) {
    return complain(error, io);
  }
}

/** As the daemon found it, which may have been told other things by its command line. */
async function socketOf(config: NamedConfig, io: CliIo): Promise<string> {
  const { workingFolder, otherFolders } = io;
  const { loadConfig } = await import('../../config/load-config.ts');
  const { file: found, settings } = await loadConfig({ ...config, workingFolder, otherFolders });
  if (settings.control !== undefined) return settings.control.path;
  throw new NoAnswer(`${nameOf(found, workingFolder)} says control: false, so there is no socket to ask on`);
}

/** 1 where the daemon said no, 2 where none could be asked. */
function complain(error: unknown, { stderr, workingFolder }: CliIo): number {
  if (error instanceof ConfigError || error instanceof NoConfigError) {
    const code = explain(error, stderr, workingFolder);
    stderr.write('popper: the config says where the daemon is; --socket PATH does, too\n');
    return code;
  }
  if (!(error instanceof Refused) && !(error instanceof NoAnswer)) throw error;
  stderr.write(`popper: ${printable(error.message, 1000)}\n`);
  return error instanceof Refused ? exitCode.problems : exitCode.unusable;
}
