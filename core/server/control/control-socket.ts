import { createServer, type Server, type Socket } from 'node:net';

import type { Logger } from '../../log/logger.ts';
import type { ControlAddress } from '../../settings.ts';
import type { Control } from './commands.ts';
import { converse, type Patience } from './converse.ts';
import { listenOnFile } from './socket-file.ts';

/** More operators at once than that is a script that has gone wrong. */
const maxConnections = 32;

/** The unix socket on which an operator talks to the daemon (docs/reference/control.md). */
export class ControlSocket {
  readonly #log: Logger;
  readonly #patience: Patience;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #control: Control | undefined;
  #remove: () => Promise<void> = async () => {};

  private constructor(log: Logger, patience: Patience) {
    this.#log = log;
    this.#patience = patience;
    // Who asks may close its half and still be answered: `echo ... | socat - UNIX:...` does.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => void this.#talk(socket));
    this.#server.maxConnections = maxConnections;
  }

  /**
   * Opens it; until `serve` it answers that the daemon is starting. Throws an Error for the operator, where another
   * daemon answers there, for one.
   */
  static async open(
    address: ControlAddress,
    log: Logger,
    patience: Patience = { askWithinMs: 10_000, answerWithinMs: 300_000 },
  ): Promise<ControlSocket> {
    const opened = new ControlSocket(log, patience);
    opened.#remove = await listenOnFile(opened.#server, address);
    // Without a listener, a client that the kernel cannot hand over would end the daemon.
    opened.#server.on('error', (error) => log.error('the control socket failed', { error }));
    return opened;
  }

  /** From now on it answers for this daemon. */
  serve(control: Control): void {
    this.#control = control;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await this.#remove();
  }

  async #talk(socket: Socket): Promise<void> {
    this.#open.add(socket);
    // Without a listener an error would end the daemon; whoever reads or writes hears of it anyway.
    socket.on('error', () => {});
    try {
      await converse(socket, { control: () => this.#control, log: this.#log, ...this.#patience });
    } catch (error) {
      if (!socket.destroyed) this.#log.error('the control socket failed', { error });
    } finally {
      socket.destroySoon();
      this.#open.delete(socket);
    }
  }
}
