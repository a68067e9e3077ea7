import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import { z } from 'zod';

import type { TcpAddress, Where } from './pop3-client.ts';

const popperHere = join(import.meta.dirname, '../../../core/bin/popper.js');
/** Far more than it takes, for machines that have much else to do. */
const startTimeoutMs = 60_000;

const logRecord = z.looseObject({ msg: z.string() });
/** One line of the daemon's log. */
export type LoggedRecord = z.output<typeof logRecord>;

/** A popper daemon in a process of its own, built and started as an operator's is. */
export class Daemon {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | NodeJS.Signals>;
  readonly #said: string[] = [];
  readonly #records: LoggedRecord[] = [];
  #heard = new Heard();

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = exitOf(child);
    for (const stream of [child.stdout, child.stderr]) if (stream !== null) this.#listen(stream);
  }

  /**
   * Starts it and waits until it serves. Rejects with all it said where it does not. `launcher` is a program that becomes the
   * daemon, with its arguments.
   */
  static async start(
    configFile: string,
    popper = popperHere,
    launcher: readonly string[] = [],
  ): Promise<Daemon> {
    const [program, ...args] = [...launcher, process.execPath, popper, 'serve', '-c', configFile];
    const child = spawn(program ?? process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] },
    });
    running.add(child);
    const daemon = new Daemon(child);
    await Promise.race([daemon.logged(({ msg }) => msg === 'listening', startTimeoutMs), daemon.#failed()]);
    return daemon;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The first TCP address that it listens on. */
  get where(): TcpAddress {
    const tcp = this.addresses.find((address) => 'port' in address);
    if (tcp === undefined) throw new Error(`it listens on no port:\n${this.said}`);
    return tcp;
  }

  get addresses(): readonly Where[] {
    const record = this.#records.find(({ msg }) => msg === 'listening');
    return listening.parse(record).addresses.map(whereIs);
  }

  /** Its exit code, or the signal that ended it. */
  get exited(): Promise<number | NodeJS.Signals> {
    return this.#exited;
  }

  get records(): readonly LoggedRecord[] {
    return this.#records;
  }

  /** Everything that it wrote to its standard output and error. */
  get said(): string {
    return this.#said.join('\n');
  }

  /** Waits for a log line, one already written or one to come. Rejects after `withinMs`. */
  async logged(wanted: (record: LoggedRecord) => boolean, withinMs = 60_000): Promise<LoggedRecord> {
    const tooLate = delay(withinMs, 'too late', { ref: false });
    for (let looked = 0; ;) {
      const fresh = this.#records.slice(looked);
      const record = fresh.find(wanted);
      if (record !== undefined) return record;
      looked += fresh.length;
      if ((await Promise.race([this.#heard.next(), tooLate])) === 'too late') {
        throw new Error(`no such log line within ${withinMs} ms:\n${this.said}`);
      }
    }
  }

  /** As an operator stops it; gives the exit code, or the signal that ended it. */
  stop(): Promise<number | NodeJS.Signals> {
    return this.end('SIGTERM');
  }

  /** Ends it as a power cut would, in the middle of whatever it does. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Tells it something that does not end it. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    this.#child.kill(signal);
    return this.#exited;
  }

  async #failed(): Promise<never> {
    const code = await this.#exited;
    throw new Error(`the daemon did not start (${code}):\n${this.said}`);
  }

  #listen(stream: Readable): void {
    createInterface({ input: stream }).on('line', (line) => {
      this.#said.push(line);
      const record = recordOf(line);
      if (record !== undefined) this.#records.push(record);
      this.#heard.tell();
    });
  }
}

/** Wakes whoever waits for the next log line. */
class Heard {
  #waiting: (() => void)[] = [];

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  tell(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

const listening = z.looseObject({ addresses: z.array(z.string()) });

function whereIs(address: string): Where {
  if (address.startsWith('/')) return { path: address };
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replaceAll(/[[\]]/g, '');
  return { host, port: Number(address.slice(colon + 1)) };
}

function recordOf(line: string): LoggedRecord | undefined {
  try {
    return logRecord.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

// A test that dies leaves no daemon behind.
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

async function exitOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  await once(child, 'exit');
  running.delete(child);
  return child.exitCode ?? child.signalCode ?? 'SIGKILL';
}
