import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';

import type { TcpAddress } from './pop3-client.ts';

/** The program as an operator's inetd starts it. */
export const popper = join(import.meta.dirname, '../../../core/bin/popper.js');

/** A process that was started for one client. */
export interface Served {
  readonly process: ChildProcess;
  /** Its exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** What it wrote to standard error where that is not the client's; known at its end. */
  readonly said: Promise<string>;
}

export interface SmallInetdOptions {
  readonly args: readonly string[];
  /** Whose standard error is: inetd's clients get it, too. */
  readonly errors?: 'client' | 'operator';
  /** Becomes popper, with popper's command line behind its own. */
  readonly launcher?: readonly string[];
  /** Whom it is started as. */
  readonly as?: { readonly uid: number; readonly gid: number };
}

/**
 * Does what inetd does: starts popper for each client, with the connection as its standard input, output and error. Unlike the real one
 * it takes any port that is free, and knows what became of each process.
 */
export class SmallInetd {
  readonly where: TcpAddress;
  readonly #server: Server;
  readonly #options: SmallInetdOptions;
  readonly #served: Served[] = [];

  private constructor(server: Server, port: number, options: SmallInetdOptions) {
    this.#server = server.on('connection', (socket) => this.#serve(socket));
    this.where = { host: '127.0.0.1', port };
    this.#options = options;
  }

  static async start(t: TestContext, options: SmallInetdOptions): Promise<SmallInetd> {
    // What comes is for the process that is started.
    const server = createServer({ pauseOnConnect: true });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    const inetd = new SmallInetd(server, typeof address === 'object' ? (address?.port ?? 0) : 0, options);
    t.after(() => inetd.#end());
    return inetd;
  }

  /** The process of the last client that has come; waits for the first. */
  async last(): Promise<Served> {
    for (;;) {
      const served = this.#served.at(-1);
      if (served !== undefined) return served;
      await once(this.#server, 'connection');
    }
  }

  #serve(socket: Socket): void {
    const { args, errors = 'client', launcher = [], as } = this.#options;
    const [program, ...behind] = [...launcher, process.execPath, popper, '--inetd', ...args];
    const child = spawn(program ?? process.execPath, behind, {
      stdio: [socket, socket, errors === 'client' ? socket : 'pipe'],
      env: { PATH: process.env['PATH'], NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] },
      cwd: '/',
      ...as,
    });
    // It is the child's from here on.
    socket.destroy();
    this.#served.push({
      process: child,
      exited: once(child, 'exit').then(([code, signal]) => code ?? signal),
      said: child.stderr === null ? Promise.resolve('') : text(child.stderr),
    });
  }

  async #end(): Promise<void> {
    this.#server.close();
    for (const served of this.#served) served.process.kill('SIGKILL');
    await Promise.all(this.#served.map(({ exited }) => exited));
  }
}
