import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** What is known, by `TYPE name`; what is not there has no name, and `silence` is never answered. */
export type Zone = Readonly<Record<string, readonly string[] | 'silence'>>;

const types = new Map([
  [1, 'A'],
  [12, 'PTR'],
  [28, 'AAAA'],
]);
const headerOctets = 12;

/** A name server for tests, on 127.0.0.1 by UDP. */
export class NameServer {
  readonly #socket: Socket;
  readonly asked: string[] = [];

  private constructor(socket: Socket, zone: Zone) {
    this.#socket = socket;
    socket.on('message', (query, { address, port }) => {
      const { question, typeNumber, name } = questionOf(query);
      const asked = `${types.get(typeNumber)} ${name}`;
      this.asked.push(asked);
      const values = zone[asked] ?? [];
      if (values !== 'silence') socket.send(replyTo(query, question, typeNumber, values), port, address);
    });
  }

  static async start(zone: Zone): Promise<NameServer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new NameServer(socket, zone);
  }

  /** As resolvers take it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async stop(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}

function questionOf(query: Buffer) {
  const labels: string[] = [];
  let at = headerOctets;
  for (let octets = query.readUInt8(at); octets > 0; octets = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + octets));
    at += 1 + octets;
  }
  const question = query.subarray(headerOctets, at + 5);
  return { question, typeNumber: query.readUInt16BE(at + 1), name: labels.join('.').toLowerCase() };
}

/** RFC 1035 section 4.1: header, question, answers. */
function replyTo(query: Buffer, question: Buffer, typeNumber: number, values: readonly string[]): Buffer {
  const header = Buffer.alloc(headerOctets);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(values.length > 0 ? 0x8180 : 0x8183, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(values.length, 6);
  return Buffer.concat([header, question, ...values.map((value) => recordOf(typeNumber, value))]);
}

function recordOf(typeNumber: number, value: string): Buffer {
  const data =
    types.get(typeNumber) === 'PTR' ? nameOctets(value) : Buffer.from(value.split('.').map(Number));
  const head = Buffer.alloc(12);
  // The name is the question's.
  head.writeUInt16BE(0xc000 | headerOctets, 0);
  head.writeUInt16BE(typeNumber, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

const nameOctets = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')])),
    Buffer.of(0),
  ]);
