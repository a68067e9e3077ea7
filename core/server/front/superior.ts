import type { Serializable } from 'node:child_process';

import { type Order, orderSchema, type Report } from '../ipc/messages.ts';

/** The end of the channel to the master that a process has which the master started. */
export interface MasterChannel {
  readonly connected: boolean;
  send?(
    message: Serializable,
    handle: undefined,
    options: undefined,
    sent: (error: Error | null) => void,
  ): boolean;
  on(event: 'message', heard: (message: unknown) => void): unknown;
  on(event: 'disconnect', gone: () => void): unknown;
}

/** The master, as a process sees it that the master started. */
export class Superior {
  /** Resolves with the order to start. */
  readonly start: Promise<Extract<Order, { kind: 'start' }>>;
  /** Called with each order behind the first. */
  ordered: (order: Order) => void = () => {};
  /** Resolves when the master is gone. */
  readonly gone: Promise<void>;
  readonly #channel: MasterChannel;

  constructor(channel: MasterChannel) {
    this.#channel = channel;
    this.start = new Promise((resolve) => {
      channel.on('message', (message) => {
        const order = orderSchema.parse(message);
        if (order.kind === 'start') resolve(order);
        else this.ordered(order);
      });
    });
    this.gone = new Promise((resolve) => channel.on('disconnect', resolve));
  }

  /** Resolves when it is on its way, or the master is gone. */
  tell(report: Report): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#channel.connected || this.#channel.send === undefined) return resolve();
      this.#channel.send(report, undefined, undefined, () => resolve());
    });
  }
}
