import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/**
 * Both ends of a stream. Nobody has read from them or written to them; they are for other processes. Only the second could be
 * read in this one: the first was told to stop reading for good.
 */
export type StreamPair = readonly [Socket, Socket];

/**
 * Makes pairs of connected unix streams, for a process that introduces two others to each other and reads nothing of what
 * they say. Node has no socketpair(2), so it connects to itself, and tells by a random token which connection came out at
 * the other end as which. The socket is made in a folder that nobody else can enter, and its name is gone at once: who
 * connects does so by a descriptor of the file. So nothing is left behind, however this process ends.
 */
export class StreamPairs {
  /** Of the socket's file, which has no name any more. */
  readonly #descriptor: number;
  readonly #server: Server;
  /** Accepted, by their tokens, until the end that connected has read its token. */
  readonly #accepted = new Map<string, Socket>();

  private constructor(server: Server, descriptor: number) {
    this.#server = server.on('connection', (socket) => this.#accept(socket));
    this.#descriptor = descriptor;
  }

  /** Throws a system error where no folder can be made in the given one. */
  static async open(parentFolder: string): Promise<StreamPairs> {
    // Paused from the beginning: what comes is for the process that gets it.
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
    // 0700.
    const folder = await mkdtemp(join(parentFolder, '.pairs-'));
    const folderDescriptor = openSync(folder, constants.O_DIRECTORY);
    try {
      // A socket's path has 107 octets at most, and the folder's may be longer.
      await once(server.listen(`/proc/self/fd/${folderDescriptor}/s`), 'listening');
      return new StreamPairs(server, openSync(join(folder, 's'), onlyAsPath));
    } finally {
      closeSync(folderDescriptor);
      await rm(folder, { recursive: true });
    }
  }

  /** A new pair. Throws a system error where there are too many files, and after a time that means that nothing works. */
  async make(): Promise<StreamPair> {
    const { promise: token, resolve, reject } = Promise.withResolvers<string>();
    const buffer = Buffer.alloc(tokenOctets);
    const near = connect({
      path: `/proc/self/fd/${this.#descriptor}`,
      allowHalfOpen: true,
      // Reads the token, all of it and nothing else: false stops the reading before another octet is asked for.
      onread: {
        buffer,
        callback: (octets) => {
          resolve(buffer.toString('hex', 0, octets));
          return false;
        },
      },
    });
    const deadline = setTimeout(
      () => reject(new Error(`no stream pair within ${patienceMs} ms`)),
      patienceMs,
    );
    near.once('error', reject);
    try {
      const far = this.#take(await token);
      near.off('error', reject);
      return [near, far];
    } catch (error) {
      near.destroy();
      throw error;
    } finally {
      clearTimeout(deadline);
    }
  }

  close(): void {
    for (const socket of this.#accepted.values()) socket.destroy();
    this.#server.close();
    closeSync(this.#descriptor);
  }

  #accept(socket: Socket): void {
    const token = randomBytes(tokenOctets);
    const key = token.toString('hex');
    this.#accepted.set(key, socket);
    // Its other end has given up, which a paused one does not hear, or was none of ours.
    const unwanted = setTimeout(() => {
      if (this.#accepted.get(key) === socket) socket.destroy();
    }, 2 * patienceMs).unref();
    socket
      .once('error', () => {})
      .once('close', () => {
        clearTimeout(unwanted);
        this.#accepted.delete(key);
      });
    socket.write(token);
  }

  #take(token: string): Socket {
    const socket = this.#accepted.get(token);
    if (socket === undefined) throw new Error('a stream pair came apart while it was made');
    this.#accepted.delete(token);
    return socket;
  }
}

const tokenOctets = 16;
/** O_PATH, which Node does not name: a descriptor that can only be referred to, which is all that there is of a socket's file. */
const onlyAsPath = 0o10000000;
const patienceMs = 5000;
