import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import { until } from './until.ts';

const program = join(import.meta.dirname, 'datagram-receiver.py');

/** A unix datagram socket of another process, which Node cannot have. */
export class DatagramReceiver {
  readonly #child: ChildProcess;
  readonly #said: string[] = [];

  private constructor(child: ChildProcess, output: Readable) {
    this.#child = child;
    createInterface({ input: output }).on('line', (line) => this.#said.push(String(JSON.parse(line))));
  }

  /** Resolves when it is bound to that path. For `deafS` seconds it reads nothing. */
  static async open(path: string, deafS = 0): Promise<DatagramReceiver> {
    const child = spawn('python3', [program, path, String(deafS)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const receiver = new DatagramReceiver(child, child.stdout);
    await until(() => receiver.#said.length > 0, 'the greeting of the receiver');
    return receiver;
  }

  /** All that has come so far. */
  get received(): readonly string[] {
    return this.#said.slice(1);
  }

  async hears(text: RegExp): Promise<void> {
    await until(() => this.received.some((message) => text.test(message)), String(text));
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
