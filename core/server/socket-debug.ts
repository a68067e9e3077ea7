import { getSystemErrorName } from 'node:util';

import type { Logger } from '../log/logger.ts';

/**
 * Turns SO_DEBUG on for sockets. On one that waits for clients, each of their connections has it, too; what a kernel makes of it is
 * its own affair. Node has nothing for it: the call is the C library's, by koffi, which is an optional dependency. Where it does not come
 * about, the log has the reason once, and all goes on without.
 */
export class SocketDebug {
  readonly #call: Call | Error;
  readonly #log: Logger;
  #hasTold = false;

  private constructor(call: Call | Error, log: Logger) {
    this.#call = call;
    this.#log = log;
  }

  static async load(log: Logger): Promise<SocketDebug> {
    return new SocketDebug(await loadCall(), log);
  }

  /** Undefined: nobody knows the socket's descriptor. */
  turnOn(descriptor: number | undefined): void {
    const failure = descriptor === undefined ? 'this Node does not tell' : this.#failureAt(descriptor);
    if (failure === undefined || this.#hasTold) return;
    this.#hasTold = true;
    this.#log.info('SO_DEBUG is not set', { reason: failure, fix });
  }

  #failureAt(descriptor: number): string | undefined {
    if (this.#call instanceof Error) return this.#call.message;
    const errorCode = this.#call(descriptor);
    return errorCode === 'EACCES' ? 'EACCES: the system asks for CAP_NET_ADMIN' : errorCode;
  }
}

const fix = 'start popper as root, or with that capability; or leave socketDebug (-d) out';

/** Gives the name of the error; undefined where there was none. */
type Call = (descriptor: number) => string | undefined;

/** The kernel's numbers on every architecture of Linux that Node runs on. */
const SOL_SOCKET = 1;
const SO_DEBUG = 1;
const isOn = new Int32Array([1]);

const loaded: { call?: Promise<Call | Error> } = {};

// Once, because koffi keeps each declaration for ever.
function loadCall(): Promise<Call | Error> {
  loaded.call ??= declareCall().catch(
    (cause: unknown) => new Error('the package koffi is not there', { cause }),
  );
  return loaded.call;
}

async function declareCall(): Promise<Call | Error> {
  if (process.platform !== 'linux') return new Error('it is known for Linux only');
  const { default: koffi } = await import('koffi');
  const setOption = koffi
    .load(null)
    .func('int setsockopt(int descriptor, int level, int option, const void *value, uint32_t octets)');
  return (descriptor) => {
    const answer: unknown = setOption(descriptor, SOL_SOCKET, SO_DEBUG, isOn, isOn.byteLength);
    return answer === 0 ? undefined : getSystemErrorName(-koffi.errno());
  };
}
