import type { Serializable } from 'node:child_process';
import { Socket } from 'node:net';

import { z } from 'zod';

import { goneOf } from '../ipc/gone.ts';
import { type Order, orderSchema, type Report } from '../ipc/messages.ts';

/** The end of the channel to the master that a process has which the master started. */
export interface MasterChannel {
  readonly connected: boolean;
  send?(
    message: Serializable,
    handle: Socket | undefined,
    options: { readonly keepOpen: boolean },
    sent: (error: Error | null) => void,
  ): boolean;
  on(event: 'message', heard: (message: unknown, handle: unknown) => void): unknown;
  on(event: 'disconnect', gone: () => void): unknown;
}

/** Is called with an order, and with the stream that came with it. */
type Obey = (order: Order, stream: Socket | undefined) => void;

/** The master, as a process sees it that the master started. */
export class Superior {
  /** Resolves with the order to start. */
  readonly start: Promise<Extract<Order, { kind: 'start' }>>;
  /** Resolves when the master is gone. */
  readonly gone: Promise<void>;
  readonly #channel: MasterChannel;
  /** What came before anybody was there to obey. */
  readonly #early: Parameters<Obey>[] = [];
  #obey: Obey = (...order) => void this.#early.push(order);

  constructor(channel: MasterChannel) {
    this.#channel = channel;
    const orders = z.compile(orderSchema);
    this.start = new Promise((resolve) => {
      channel.on('message', (message, handle) => {
        const order = orders.parse(message);
        if (order.kind === 'start') resolve(order);
        else this.#obey(order, handle instanceof Socket ? handle : undefined);
      });
    });
    this.gone = goneOf(channel);
  }

  /** Each order behind the one to start is obeyed so from here on, the earlier ones first. */
  obey(obey: Obey): void {
    this.#obey = obey;
    for (const order of this.#early.splice(0)) obey(...order);
  }

  /** Resolves when it is on its way, with the connection that is `lent`, or the master is gone. */
  tell(report: Report, lent?: Socket): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#channel.connected || this.#channel.send === undefined) return resolve();
      this.#channel.send(report, lent, { keepOpen: true }, () => resolve());
    });
  }
}
