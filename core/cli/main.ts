import { Readable, type Writable } from 'node:stream';

import { systemFolder } from '../config/locate-config.ts';
import { createLogger } from '../log/pino-log.ts';
import { takeClient } from '../server/inetd/sole-client.ts';
import { systemLog } from '../server/inetd/system-log.ts';
import { exitCode } from './exit-code.ts';
import { runProgram } from './program.ts';
import { endProcess, watchExitFromStart } from './watch-exit.ts';

// Node would open its debugger to all users of this machine, whoever may signal; children are started without that.
process.on('SIGUSR1', () => {});
const args = process.argv.slice(2);
// Before anybody else touches standard input, output and error.
const client = args.includes('--inetd') ? takeClient({ beginsWithTls: args.includes('--tls') }) : undefined;
const { stdout } = process;
const stderr = client?.tookErrors === true ? systemLog() : process.stderr;

// Whoever read our output has left: a daemon goes on serving without its log, and a list needs no end.
for (const stream of [stdout, stderr]) stream.on('error', () => {});

watchExitFromStart(createLogger({ level: 'error', format: 'auto', stream: stderr }));

try {
  const code = await runProgram(args, {
    ...(client ? { client, stdin: Readable.from([]) } : { stdin: process.stdin }),
    stdout,
    stderr,
    workingFolder: process.cwd(),
    otherFolders: [systemFolder],
  });
  await Promise.all([stdout, stderr].map(written));
  // A plugin may have left a timer or a connection, which would keep a finished program here.
  endProcess(code);
} catch (error) {
  stderr.write(`popper: this should not happen:\n${error instanceof Error ? error.stack : String(error)}\n`);
  await written(stderr);
  endProcess(exitCode.unusable);
}

/** Resolves when what was written so far has left the process. */
function written(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
