import { join, resolve } from 'node:path';

import { classicLine, definePlugin, type Logger, printableLine, type Role, type WireEvent } from 'popperd';
import { z } from 'zod';

import { lookOver } from './look-over.ts';
import { traceSubcommand } from './subcommand.ts';
import { CannotTrace, TraceFile } from './trace-file.ts';
import { traceLine } from './trace-line.ts';
import { WatchedTargets } from './watched-targets.ts';
import { ownUser, wayOut } from './way-out.ts';

const optionsSchema = z.strictObject({
  file: z.string().min(1, { error: 'expected the path of a file' }).optional(),
  log: z.boolean({ error: 'expected true or false' }).default(false),
});

/** What clients and server say to each other, in a file or in the log: always, or for those whom an operator names. */
export default definePlugin({
  name: 'trace',
  options: optionsSchema,

  apply({ hooks, log, state, subcommands, baseFolder }, options) {
    const path = options.file === undefined ? undefined : resolve(baseFolder, options.file);
    const targetPath = (): string => join(state.folder, 'trace.json');
    const targets = new WatchedTargets(targetPath, (file, error) =>
      log.warn('who is to be traced cannot be read, so nobody is', { file, error, fix: `rm ${file}` }),
    );
    const showsAll = options.log || path !== undefined;
    const opened: { file?: TraceFile } = {};

    subcommands.add(traceSubcommand(targetPath));
    hooks.check.tapPromise('trace', async (checkup) => {
      if (path !== undefined) lookOver(path, checkup);
    });
    hooks.start.tapPromise('trace', async (role) => {
      if (path !== undefined && seesStrangers(role)) opened.file = openFile(path, log);
    });
    hooks.listening.tapPromise('trace', async () => {
      if (path !== undefined)
        log.info(printableLine(`Tracing session and debugging information in file "${path}"`, maxOctets));
    });
    hooks.wire.tap('trace', (event) => {
      const said = { ...event, address: event.peer.address };
      if (opened.file !== undefined) opened.file.write(traceLine(said, new Date(), process.pid));
      else if (targets.includes(said)) show(event, 'info', log);
      else if (showsAll) show(event, 'debug', log);
    });
    hooks.stop.tapPromise('trace', async () => opened.file?.close());
  },
});

const maxOctets = 512;

/** Workers are users, and may not open what is the daemon's. */
const seesStrangers = (role: Role): boolean => role === 'all' || role === 'front';

function openFile(file: string, log: Logger): TraceFile {
  try {
    return TraceFile.open(file, {
      losing: (error) => log.error('lines of the trace are lost', { file, error }),
      goesOn: (lostLines) => log.warn('the trace goes on', { file, lostLines }),
      stays: (error) => log.warn('the trace goes on in the file that was there before', { file, error }),
    });
  } catch (error) {
    if (error instanceof CannotTrace)
      log.error(printableLine(error.message, maxOctets), {
        ...classicLine,
        cause: error.cause,
        fix: wayOut(error, ownUser()),
      });
    throw error;
  }
}

function show(
  { session, peer: { address }, user, direction, text }: WireEvent,
  level: 'info' | 'debug',
  log: Logger,
): void {
  log[level](direction, { session, address, user, text });
}
