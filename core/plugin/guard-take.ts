import type { Reply } from '../protocol/reply.ts';
import type { Take } from '../session/outcome.ts';
import { complaints } from './answers.ts';
import { blame, type Guarded } from './guard.ts';
import { PluginFault } from './plugin-fault.ts';

/**
 * The same for a plugin that takes a message from the client. Its time runs while it has what it asked for: for the client,
 * who may be slow, the idle timer is there.
 */
export function guardTake(
  take: Take,
  { plugin, where, deadlineMs, atWork }: Pick<Guarded<never>, 'plugin' | 'where' | 'deadlineMs' | 'atWork'>,
): Take {
  return async (body) => {
    const clock = new Clock(deadlineMs);
    const piece = atWork.began(plugin, where);
    try {
      const reply = await Promise.race([taken(take, clock.around(body)), clock.hung]);
      const complaint = complaints.receive(reply);
      if (complaint === undefined) return reply;
      throw new PluginFault(plugin, where, { what: `answered ${complaint}` });
    } catch (error) {
      throw blame(error, { plugin, where });
    } finally {
      clock.stop();
      atWork.ended(piece);
    }
  };
}

/** Plain JavaScript may throw at once. */
const taken = async (take: Take, body: AsyncIterable<Uint8Array>): Promise<Reply> => take(body);

/** Runs while the plugin is at work, and stands while the client is waited for. */
class Clock {
  readonly hung: Promise<never>;
  readonly #deadlineMs: number;
  readonly #giveUp: (reason: Error) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(deadlineMs: number) {
    const { promise, reject } = Promise.withResolvers<never>();
    this.hung = promise;
    this.#giveUp = reject;
    this.#deadlineMs = deadlineMs;
    this.#start();
  }

  async *around(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    this.stop();
    for await (const chunk of body) {
      this.#start();
      yield chunk;
      this.stop();
    }
    this.#start();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #start(): void {
    const error = new Error(`did not answer within ${this.#deadlineMs} ms`);
    this.#timer = setTimeout(() => this.#giveUp(error), this.#deadlineMs);
  }
}
