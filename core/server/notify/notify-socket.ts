import type { Logger } from '../../log/logger.ts';
import { DatagramFailure, DatagramSocket } from '../datagram.ts';

/** So long until one that is busy is tried again, in milliseconds. */
const retryMs = 100;
/** Nobody reads there any more when so many have not been taken. */
const maxWaiting = 100;

/** The socket of a service manager: messages reach it in their order, or the log says that they do not. */
export class NotifySocket {
  readonly #socket: Pick<DatagramSocket, 'send'>;
  readonly #address: string;
  readonly #log: Pick<Logger, 'error'>;
  readonly #waiting: string[] = [];
  #retry: NodeJS.Timeout | undefined;
  #hasFailed = false;

  constructor(socket: Pick<DatagramSocket, 'send'>, address: string, log: Pick<Logger, 'error'>) {
    this.#socket = socket;
    this.#address = address;
    this.#log = log;
  }

  /** Lines of `NAME=value` that belong together. Where the manager is busy they follow when it is not. */
  tell(...lines: readonly string[]): void {
    if (this.#waiting.length < maxWaiting) this.#waiting.push(lines.join('\n'));
    if (this.#retry === undefined) this.#sendAll();
  }

  /** The same for what will be said again soon: it is left out where the manager is busy. False where it was not sent. */
  mention(line: string): boolean {
    if (this.#waiting.length > 0) return false;
    try {
      this.#send(line);
      return true;
    } catch (error) {
      if (!isBusy(error)) this.#failed(error);
      return false;
    }
  }

  #sendAll(): void {
    this.#retry = undefined;
    try {
      for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
        this.#send(next);
        this.#waiting.shift();
      }
    } catch (error) {
      if (isBusy(error)) this.#retry = setTimeout(() => this.#sendAll(), retryMs);
      else this.#failed(error);
    }
  }

  #send(message: string): void {
    this.#socket.send(Buffer.from(message), this.#address);
    this.#hasFailed = false;
  }

  /** It may be there again later; what it has missed is old news then. */
  #failed(error: unknown): void {
    this.#waiting.length = 0;
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#log.error('the service manager cannot be told', {
      error,
      fix: 'see what became of the socket; without news the manager may end popper',
    });
  }
}

const isBusy = (error: unknown): boolean => error instanceof DatagramFailure && error.code === 'EAGAIN';
