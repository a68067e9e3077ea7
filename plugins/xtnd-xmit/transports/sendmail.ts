import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { SendmailOptions } from '../options.ts';
import type { Letter } from '../receive.ts';
import { NotSent } from '../refused.ts';
import { errnoOf } from '../spool.ts';
import { adviceOnRights } from './gained-rights.ts';
import { type Fault, isOpenToAll, type Isolation, type Transport } from './transport.ts';

/** So much of what the mailer complains of is logged. */
const maxComplaintLength = 2000;
/** A mailer that is told to stop has so long for it, and so long again when it is killed. */
const stopMs = 1000;

/** The local mailer. It reads the message from the spool file itself, and recipients from its command line alone. */
export class Sendmail implements Transport {
  readonly lineEnd = '\n';
  readonly #options: SendmailOptions;

  constructor(options: SendmailOptions) {
    this.#options = options;
  }

  async send({ envelope, file }: Letter, signal: AbortSignal): Promise<void> {
    const { command, args } = this.#options;
    // No -t: who gets it has been looked at. What stands behind -- is no option, whatever it looks like.
    const words = [...args, '-i', '-oem', '-f', envelope.from, '--', ...envelope.to];
    const child = spawn(command, words, {
      stdio: [file.fd, 'ignore', 'pipe'],
      cwd: '/',
      // A process group of its own: where it is to stop, so is what it has started.
      detached: true,
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    const complaint = complaintOf(child);
    const givenUp = Promise.withResolvers<void>();
    const stop = (): void => givenUp.resolve(stopped(child));
    signal.addEventListener('abort', stop);
    try {
      // How it ended decides, even where it was to stop.
      await Promise.race([once(child, 'exit'), givenUp.promise]);
    } catch (cause) {
      throw new NotSent(`Unable to execute "${basename(command)}" (${-errnoOf(cause)})`, { cause });
    } finally {
      signal.removeEventListener('abort', stop);
    }
    if (child.exitCode === 0) return;
    const how = howItEnded(child);
    // One that no signal reaches must not keep this process from ending.
    child.unref();
    const why = await complaint();
    throw new Error(`${command} ${how}: ${why}${await adviceOnRights(why)}`);
  }

  async fault(isolation: Isolation = 'none'): Promise<Fault | undefined> {
    const { command } = this.#options;
    if (await isExecutable(command))
      return isolation === 'none' || (await isOpenToAll(command, 0o001)) ? undefined : closed(command);
    return {
      kind: 'problem',
      what: `${command} cannot be executed: no message can be sent`,
      fix: 'install a mailer that brings a sendmail, or name it by transport.command',
    };
  }
}

function howItEnded(child: ChildProcess): string {
  if (child.exitCode !== null) return `exited with ${child.exitCode}`;
  if (child.signalCode !== null) return `was ended by ${child.signalCode}`;
  return 'still runs, and cannot be ended';
}

const closed = (command: string): Fault => ({
  kind: 'problem',
  what: `${command} cannot be executed by every user, and users send as themselves with isolation: 'user'`,
  fix: `chmod o+x ${command}, or name another by transport.command`,
});

/** Folders have the same bit. */
const isExecutable = async (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    async () => (await stat(path)).isFile(),
    () => false,
  );

/** What it writes to its standard error; a queue runner that it leaves behind may keep that open. */
function complaintOf({ stderr }: ChildProcess): () => Promise<string> {
  let text = '';
  stderr?.setEncoding('utf8').on('data', (piece: string) => {
    text = (text + piece).slice(0, maxComplaintLength);
  });
  const ended = stderr === null ? undefined : once(stderr, 'close').catch(() => {});
  return async () => {
    await Promise.race([ended, delay(100, undefined, { ref: false })]);
    stderr?.destroy();
    return text.trim().replaceAll(/\s*[\r\n]\s*/g, '; ');
  };
}

/** It has ended then, or no signal reaches it. */
async function stopped(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  signalGroup(pid, 'SIGTERM');
  await delay(stopMs, undefined, { ref: false });
  // All is well with the message, and what goes on behind it may be delivering it.
  if (child.exitCode === 0) return;
  signalGroup(pid, 'SIGKILL');
  await delay(stopMs, undefined, { ref: false });
}

/** All of them may be gone, or have become somebody else, whom signals from here do not reach. */
function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if (errnoOf(error) === 0) throw error;
  }
}
