import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';

import { Pop3Client, type Where } from './pop3-client.ts';
import { password } from './site.ts';

/** A client that fetches its mail in one session after the other, each of which must go as it always does. */
export class SteadyClient {
  readonly #where: Where;
  readonly #user: string;
  readonly #pauseMs: number;
  #sessions = 0;
  #isOver = false;
  #running: Promise<void> | undefined;

  /** `pauseMs`: how long it waits before it comes again. */
  constructor(where: Where, user: string, pauseMs = 0) {
    this.#where = where;
    this.#user = user;
    this.#pauseMs = pauseMs;
  }

  get sessionCount(): number {
    return this.#sessions;
  }

  start(): void {
    this.#running = this.#run();
    // Whoever stops it hears of it.
    this.#running.catch(() => {});
  }

  /** Resolves when its last session is over. Rejects where one of them failed. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const client = await Pop3Client.loggedIn(this.#where, this.#user, password);
      const listed = await client.askLines('LIST');
      for (const line of listed) {
        const [number, octets] = line.split(' ');
        const message = await client.askOctets(`RETR ${number}`);
        assert.ok(message.length >= Number(octets) - 3);
      }
      await client.quit();
      this.#sessions += 1;
      if (this.#pauseMs > 0) await delay(this.#pauseMs);
    }
  }
}
