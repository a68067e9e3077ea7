import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { z } from 'zod';

const datagram = z.strictObject({
  lines: z.array(z.string()),
  /** Of the sender, as the kernel tells it. */
  pid: z.int(),
  /** When it was read, on the machine's monotonic clock in microseconds. */
  us: z.int(),
});
export type Datagram = z.output<typeof datagram>;

const program = join(import.meta.dirname, 'datagram-reader.py');
const patienceMs = 30_000;

/** A unix datagram socket of another process, which Node cannot have. */
export class DatagramReader {
  readonly #child;
  readonly #read: Datagram[] = [];

  private constructor(address: string, deafS: number) {
    this.#child = spawn('python3', [program, address, String(deafS)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#read.push(datagram.parse(JSON.parse(line)));
    });
  }

  /** Resolves when it is bound to that path or, with `@`, to that abstract name. For `deafS` seconds it reads nothing. */
  static async open(address: string, deafS = 0): Promise<DatagramReader> {
    const reader = new DatagramReader(address, deafS);
    await reader.#until(() => reader.#read.some(({ lines }) => lines[0] === 'bound'), 'its own greeting');
    return reader;
  }

  /** All that has come so far. */
  get read(): readonly Datagram[] {
    return this.#read.slice(1);
  }

  /** The first message with that line that came behind so many; waits for it. */
  async with(line: string | RegExp, behind = 0): Promise<Datagram> {
    const isWanted = ({ lines }: Datagram): boolean =>
      lines.some((one) => (typeof line === 'string' ? one === line : line.test(one)));
    await this.#until(() => this.read.slice(behind).some(isWanted), String(line));
    const found = this.read.slice(behind).find(isWanted);
    if (found === undefined) throw new Error(`no ${String(line)}`);
    return found;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  async #until(isSo: () => boolean, what: string): Promise<void> {
    for (const endMs = performance.now() + patienceMs; !isSo(); await delay(10)) {
      if (performance.now() < endMs) continue;
      throw new Error(`nobody sent ${what}, only ${JSON.stringify(this.#read)}`);
    }
  }
}
