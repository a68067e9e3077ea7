import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Both ends of connections of this process with itself. */
export class Connections {
  readonly #server: Server;
  readonly #port: number;
  readonly #ends: Socket[] = [];

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.#port = port;
  }

  static async open(): Promise<Connections> {
    // As the daemon's own listeners have it.
    const server = createServer({ allowHalfOpen: true, highWaterMark: 64 * 1024 });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    assert(address !== null && typeof address === 'object');
    return new Connections(server, address.port);
  }

  /** The end that has connected, and the one that was accepted. One pair is made at a time. */
  async make(allowHalfOpen = false): Promise<readonly [Socket, Socket]> {
    const accepted: Promise<Socket[]> = once(this.#server, 'connection');
    const far = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen });
    const [near] = await accepted;
    assert(near !== undefined);
    // Either may be broken at any time; how it ends is what a test looks at.
    for (const end of [far, near]) this.#ends.push(end.on('error', () => {}));
    return [far, near];
  }

  close(): void {
    for (const end of this.#ends) end.destroy();
    this.#server.close();
  }
}

/** Of the error that breaks the connection; undefined where it ends as usual. */
export async function codeOf(end: Socket): Promise<unknown> {
  let code: unknown;
  end.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code;
  });
  if (!end.closed) await new Promise((resolve) => end.once('close', resolve));
  return code;
}
