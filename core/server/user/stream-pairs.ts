import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
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
 * they say. Node has no socketpair(2), so it connects to itself in a folder that nobody else can enter, and tells by a
 * random token which connection came out at the other end as which.
 */
export class StreamPairs {
  readonly #folder: string;
  readonly #path: string;
  readonly #server: Server;
  /** Accepted, by their tokens, until the end that connected has read its token. */
  readonly #accepted = new Map<string, Socket>();

  private constructor(folder: string) {
    this.#folder = folder;
    this.#path = join(folder, 'pairs');
    // Paused from the beginning: what comes is for the process that gets it.
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) =>
      this.#accept(socket),
    );
  }

  /** Makes a folder (0700) of its own in the given one, whose path is to be short: 80 octets at most. */
  static async open(parentFolder: string): Promise<StreamPairs> {
    const pairs = new StreamPairs(await mkdtemp(join(parentFolder, 'popper-')));
    await once(pairs.#server.listen(pairs.#path), 'listening');
    return pairs;
  }

  /** A new pair. Throws a system error where there are too many files, and after a time that means that nothing works. */
  async make(): Promise<StreamPair> {
    const { promise: token, resolve, reject } = Promise.withResolvers<string>();
    const buffer = Buffer.alloc(tokenOctets);
    const near = connect({
      path: this.#path,
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

  async close(): Promise<void> {
    for (const socket of this.#accepted.values()) socket.destroy();
    this.#server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #accept(socket: Socket): void {
    const token = randomBytes(tokenOctets);
    const key = token.toString('hex');
    this.#accepted.set(key, socket);
    // Its other end has given up, or was none of ours.
    socket.once('error', () => {}).once('close', () => this.#accepted.delete(key));
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
const patienceMs = 5000;
