import type { Serializable } from 'node:child_process';
import { Socket } from 'node:net';

import type { z } from 'zod';

import { goneOf } from '../ipc/gone.ts';

/** The end of the channel to the master that a process has which the master started: `process` itself. */
export interface MasterEnd {
  readonly connected: boolean;
  send?(
    message: Serializable,
    handle: undefined,
    options: undefined,
    sent: (error: Error | null) => void,
  ): boolean;
  disconnect?(): void;
  on(event: 'message', heard: (message: unknown, handle: unknown) => void): unknown;
  on(event: 'disconnect', gone: () => void): unknown;
}

/** The master, for a process that is given streams by it. */
export class MasterLink<Order, Report extends Serializable> {
  /** Called with each order, and with the stream that came with it. */
  ordered: (order: Order, stream: Socket | undefined) => void = () => {};
  /** Resolves when the master is gone. */
  readonly gone: Promise<void>;
  readonly #end: MasterEnd;

  /** Whoever is told something else than the schema allows dies of it: the master is of another version. */
  constructor(end: MasterEnd, schema: z.ZodType<Order>) {
    this.#end = end;
    end.on('message', (message, handle) => {
      this.ordered(schema.parse(message), handle instanceof Socket ? handle : undefined);
    });
    this.gone = goneOf(end);
  }

  tell(report: Report): void {
    // It may have just died, or die now; `gone` says so.
    if (this.#end.connected) this.#end.send?.(report, undefined, undefined, () => {});
  }
}
