import { endianness } from 'node:os';
import { getSystemErrorName } from 'node:util';

/** Where a unix datagram socket is: a path, or `@name` for one in Linux's abstract name space. */
export type UnixAddress = string;

/** What sending came to nothing by; `code` is the kernel's: EAGAIN where the other end has not read what is there already. */
export class DatagramFailure extends Error {
  readonly code: string;

  constructor(code: string, to: UnixAddress) {
    super(`a datagram to ${to}: ${code}`);
    this.name = 'DatagramFailure';
    this.code = code;
  }
}

/**
 * Sends datagrams to unix sockets, for which Node has nothing: how a daemon talks to its service manager, and to syslog. The
 * calls are the C library's, by koffi, which is an optional dependency and loaded here only.
 */
export class DatagramSocket {
  readonly #calls: Calls;
  readonly #descriptor: number;

  private constructor(calls: Calls, descriptor: number) {
    this.#calls = calls;
    this.#descriptor = descriptor;
  }

  /** Rejects with an Error for the operator where this machine cannot. */
  static async open(): Promise<DatagramSocket> {
    const calls = await loadCalls();
    const descriptor = calls.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) throw new Error(`no datagram socket can be had: ${calls.errorCode()}`);
    return new DatagramSocket(calls, descriptor);
  }

  /** Never waits. Throws a DatagramFailure where the kernel did not take it, and a RangeError where `to` is no address. */
  send(message: Uint8Array, to: UnixAddress): void {
    const address = addressOctets(to);
    const { length } = message;
    const sent = this.#calls.sendto(this.#descriptor, message, length, flags, address, address.length);
    if (sent < 0) throw new DatagramFailure(this.#calls.errorCode(), to);
  }

  close(): void {
    this.#calls.close(this.#descriptor);
  }
}

/** The kernel's numbers on every architecture of Linux that Node runs on. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2_000_000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
/** With the NUL behind a path, and before a name. */
const maxPathOctets = 108;

/** `struct sockaddr_un`. */
function addressOctets(to: UnixAddress): Buffer {
  const name = Buffer.from(to.startsWith('@') ? `\0${to.slice(1)}` : `${to}\0`);
  if (!/^[@/]./s.test(to) || name.length > maxPathOctets)
    throw new RangeError(`${to} is no address of a unix socket`);
  const family = Buffer.alloc(2);
  if (endianness() === 'LE') family.writeUInt16LE(AF_UNIX);
  else family.writeUInt16BE(AF_UNIX);
  return Buffer.concat([family, name]);
}

interface Calls {
  socket(domain: number, type: number, protocol: number): number;
  sendto(
    descriptor: number,
    data: Uint8Array,
    octets: number,
    flags: number,
    to: Uint8Array,
    toOctets: number,
  ): number;
  close(descriptor: number): number;
  /** The name of the last call's error. */
  errorCode(): string;
}

const loaded: { calls?: Promise<Calls> } = {};

// Once, because koffi keeps each declaration for ever.
function loadCalls(): Promise<Calls> {
  loaded.calls ??= declareCalls();
  return loaded.calls;
}

async function declareCalls(): Promise<Calls> {
  if (process.platform !== 'linux') throw new Error('unix datagrams are known for Linux only');
  const { default: koffi } = await import('koffi').catch((error: unknown) => {
    throw new Error('the package koffi is not there', { cause: error });
  });
  const library = koffi.load(null);
  return {
    socket: library.func('int socket(int domain, int type, int protocol)'),
    sendto: library.func(
      'long sendto(int descriptor, const void *data, size_t octets, int flags, const void *to, uint32_t toOctets)',
    ),
    close: library.func('int close(int descriptor)'),
    errorCode: () => getSystemErrorName(-koffi.errno()),
  };
}
