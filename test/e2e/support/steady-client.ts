import assert from 'node:assert/strict';

import { Pop3Client, type Where } from './pop3-client.ts';
import { password } from './site.ts';

/** A client that fetches its mail in one session after the other, each of which must go as it always does. */
export class SteadyClient {
  readonly #where: Where;
  readonly #user: string;
  #sessions = 0;
  #isOver = false;
  #running: Promise<void> | undefined;

  constructor(where: Where, user: string) {
    this.#where = where;
    this.#user = user;
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
    }
  }
}
