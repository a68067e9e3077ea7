import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

/** A child process to which streams are given. */
export class StreamRecipient {
  readonly #child: ChildProcess;
  /** Of streams that are not on their way yet: Node hands over one at a time, when the one before has arrived. */
  readonly #failures = new Set<(cause: Error) => void>();

  constructor(child: ChildProcess) {
    this.#child = child;
    // One that is killed while streams wait for it never says `disconnect`.
    for (const event of ['disconnect', 'exit'])
      child.once(event, () => this.#fail(new Error('it has ended')));
  }

  /**
   * Sends a message and an end of a stream, which then belongs to the child. Rejects where the child has ended before that was
   * on its way. In every case this process lets go of the end: when the child has it, or never will.
   */
  give(message: object, end: Socket): Promise<void> {
    return this.lend(message, end).finally(() => end.destroy());
  }

  /** The same, but this process has the end as well. */
  lend(message: object, end: Socket): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const failed = (cause: Error): void => {
        this.#failures.delete(failed);
        reject(new Error(`process ${this.#child.pid ?? 'that never began'} takes no streams`, { cause }));
      };
      if (!this.#child.connected) return failed(new Error('it is not connected'));
      this.#failures.add(failed);
      // Kept open because Node, which would wait for the child to confirm, waits for ever where the child is killed. Once it is
      // written, the kernel keeps it for the child.
      this.#child.send(message, end, { keepOpen: true }, (error) => {
        if (error !== null) return failed(error);
        this.#failures.delete(failed);
        resolve();
      });
    });
  }

  #fail(cause: Error): void {
    for (const failed of this.#failures) failed(cause);
  }
}
