import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import { type Checkup, definePlugin } from 'popperd';

import { shownDestination } from './destination.ts';
import { optionsSchema } from './options.ts';
import { SyslogSink } from './syslog-sink.ts';

/** Sends the log to a syslog, on this machine or on another. */
export default definePlugin({
  name: 'log-syslog',
  options: optionsSchema,

  apply({ hooks, log, baseFolder }, options) {
    const to = shownDestination(options.to);
    const readCa = async (): Promise<string | undefined> =>
      options.ca === undefined ? undefined : readPem(resolve(baseFolder, options.ca));
    const sink = new SyslogSink(options, {
      unreachable: (error) =>
        log.error('syslog cannot be reached', {
          to,
          error,
          fix: 'see whether it runs, and whether the option to is right',
        }),
      reachedAgain: () => log.info('syslog is reached again', { to }),
    });

    hooks.log.tap('log-syslog', (record) => sink.take(record));
    hooks.start.tapPromise('log-syslog', async () => sink.start(await readCa()));
    hooks.stop.tapPromise('log-syslog', async () => {
      const unsent = await sink.stop();
      if (unsent > 0) log.warn('records have not reached syslog', { records: unsent, to });
    });
    hooks.check.tapPromise('log-syslog', async (checkup) => {
      if (options.ca !== undefined) await lookAtRights(resolve(baseFolder, options.ca), checkup);
      try {
        await sink.probe(await readCa());
        checkup.fine(`syslog is at ${to}`);
      } catch (error) {
        const what = error instanceof Error ? error.message : String(error);
        checkup.problem(`no syslog at ${to}: ${what}`, 'start it, or set the option to');
      }
    });
  },
});

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Error(`ca: ${file} cannot be read`, { cause });
  }
}

/** Whoever checks may be root, and users' processes are not. One that is not there is told of elsewhere. */
async function lookAtRights(file: string, checkup: Checkup): Promise<void> {
  const stats = await stat(file).catch(() => undefined);
  if (stats === undefined || (stats.mode & 0o004) !== 0) return;
  const what = `not everybody may read ${file}, and users' sessions do so as themselves with isolation: user`;
  checkup.warning(what, `chmod o+r ${file}`);
}
