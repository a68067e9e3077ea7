import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** A receiver of syslog over TCP or TLS, as RFC 6587 has it: each message says first how long it is. */
export class StreamReceiver {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly received: string[] = [];

  private constructor(tls: TlsOptions | undefined) {
    const hear = (socket: Socket): void => this.#hear(socket);
    this.#server = tls === undefined ? createServer(hear) : createTlsServer(tls, hear);
    // A client that does not like the certificate says so; here that is no error.
    this.#server.on('tlsClientError', () => {});
  }

  static async start({ port = 0, tls }: { port?: number; tls?: TlsOptions } = {}): Promise<StreamReceiver> {
    const receiver = new StreamReceiver(tls);
    receiver.#server.listen(port, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get port(): number {
    return portOf(this.#server.address());
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #hear(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    let unread = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      unread += text;
      for (let frame = frameIn(unread); frame !== undefined; frame = frameIn(unread)) {
        this.received.push(frame.message);
        unread = unread.slice(frame.octets);
      }
    });
  }
}

function frameIn(text: string): { readonly message: string; readonly octets: number } | undefined {
  const [head = '', digits] = /^(\d+) /.exec(text) ?? [];
  const end = head.length + Number(digits);
  if (digits === undefined || text.length < end) return undefined;
  return { message: text.slice(head.length, end), octets: end };
}

const portOf = (address: AddressInfo | string | null): number =>
  typeof address === 'object' && address !== null ? address.port : 0;
