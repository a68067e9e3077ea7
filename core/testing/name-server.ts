import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';

const typeNumbers = { A: 1, PTR: 12, AAAA: 28 } as const;
export type RecordType = keyof typeof typeNumbers;

/** What is known, by name and type; `silence`: nothing is answered, `failure`: that the server has a trouble of its own. */
export type Zone = Readonly<
  Record<string, Partial<Record<RecordType, readonly string[] | 'silence' | 'failure'>>>
>;

/** A name server for tests, on 127.0.0.1: it answers by UDP what its zone says, and nothing else. */
export class NameServer {
  readonly #socket: Socket;
  readonly #zone: Zone;
  /** What was asked, as `TYPE name`, in order. */
  readonly asked: string[] = [];

  private constructor(socket: Socket, zone: Zone) {
    this.#socket = socket;
    this.#zone = zone;
    socket.on('message', (query, { address, port }) => {
      const reply = this.#answer(query);
      if (reply) socket.send(reply, port, address);
    });
  }

  static async start(zone: Zone): Promise<NameServer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new NameServer(socket, zone);
  }

  /** As resolvers take it: address and port. */
  get address(): string {
    const { address, port }: AddressInfo = this.#socket.address();
    return `${address}:${port}`;
  }

  async stop(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #answer(query: Buffer): Buffer | undefined {
    const { name, typeNumber, question } = questionOf(query);
    const type = typeOf(typeNumber);
    if (type === undefined) return replyTo(query, question, { code: nameError, records: [] });
    this.asked.push(`${type} ${name}`);
    const known = this.#zone[name];
    const values = known?.[type] ?? [];
    if (values === 'silence') return undefined;
    if (values === 'failure') return replyTo(query, question, { code: serverFailure, records: [] });
    const records = values.map((value) => recordOf(type, value));
    return replyTo(query, question, { code: known ? noError : nameError, records });
  }
}

const [noError, serverFailure, nameError] = [0, 2, 3] as const;
const headerOctets = 12;

function questionOf(query: Buffer) {
  const labels: string[] = [];
  let at = headerOctets;
  for (let octets = query.readUInt8(at); octets > 0; octets = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + octets));
    at += 1 + octets;
  }
  const question = query.subarray(headerOctets, at + 5);
  return { name: labels.join('.').toLowerCase(), typeNumber: query.readUInt16BE(at + 1), question };
}

const typeOf = (number: number): RecordType | undefined =>
  (['A', 'PTR', 'AAAA'] as const).find((type) => typeNumbers[type] === number);

interface Answer {
  readonly code: number;
  readonly records: readonly Buffer[];
}

/** RFC 1035 section 4.1: header, question, answers. */
function replyTo(query: Buffer, question: Buffer, { code, records }: Answer): Buffer {
  const header = Buffer.alloc(headerOctets);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, question, ...records]);
}

function recordOf(type: RecordType, value: string): Buffer {
  const data = type === 'PTR' ? nameOctets(value) : addressOctets(value);
  const head = Buffer.alloc(12);
  // The name is the question's.
  head.writeUInt16BE(0xc000 | headerOctets, 0);
  head.writeUInt16BE(typeNumbers[type], 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

const nameOctets = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')])),
    Buffer.of(0),
  ]);

/** An IPv6 address is given with all of its eight groups. */
function addressOctets(address: string): Buffer {
  if (address.includes('.')) return Buffer.from(address.split('.').map(Number));
  const groups = address.split(':').map((group) => group.padStart(4, '0'));
  return Buffer.from(groups.join(''), 'hex');
}
