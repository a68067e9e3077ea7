import assert from 'node:assert/strict';
import { test } from 'node:test';

import { latin1, memoryHost, memoryMaildrop, MemoryMaildrop, TestServer } from 'popperd/testing';

import { OctetCounter } from '../../core/protocol/octet-counter.ts';
import { WireEncoder } from '../../core/protocol/wire-encoder.ts';
import { login } from './support.ts';

/** What a message is on the wire, written as plainly as the definition: slow, and easy to believe. */
function onTheWire(stored: string): { readonly wire: string; readonly octets: number } {
  let text = stored.replaceAll(/(?<!\r)\n/g, '\r\n');
  if (text !== '' && !text.endsWith('\n')) text += '\r\n';
  return { wire: `${text.replaceAll(/(^|\n)\./g, '$1..')}.\r\n`, octets: text.length };
}

/** Everything that RETR, LIST and STAT say of a message that is read in these chunks. */
async function retrieve(
  stored: string,
  cuts: readonly number[] = [],
): Promise<{ readonly wire: string; readonly octets: number }> {
  const server = new TestServer([memoryHost(new InPieces([stored], cuts))]);
  const { octets, said } = await server.record([...login, 'STAT', 'LIST 1', 'RETR 1', 'QUIT']);
  assert.deepEqual(
    server.log.filter(({ level }) => level === 'error'),
    [],
  );
  const [stat = '', list = '', first = ''] = said.slice(3);
  const size = Number(/^\+OK ([0-9]+) octets$/.exec(first)?.[1]);
  assert.equal(stat, `+OK 1 ${size}`);
  assert.equal(list, `+OK 1 ${size}`);
  const whole = Buffer.from(octets).toString('latin1');
  const from = whole.indexOf(' octets\r\n', whole.indexOf(list)) + ' octets\r\n'.length;
  assert.ok(whole.endsWith('+OK bye\r\n'));
  return { wire: whole.slice(from, -'+OK bye\r\n'.length), octets: size };
}

/** Gives its only message cut at these places. */
class InPieces extends MemoryMaildrop {
  readonly #pieces: readonly Uint8Array[];

  constructor(texts: readonly string[], cuts: readonly number[]) {
    super(texts);
    const stored = latin1(texts.join(''));
    this.#pieces = [0, ...cuts].map((from, index) => stored.subarray(from, cuts[index]));
  }

  override async *read(): AsyncGenerator<Uint8Array> {
    for (const piece of this.#pieces) yield piece;
  }
}

const corpus: readonly (readonly [id: string, what: string, stored: string])[] = [
  ['B1', 'with a lone dot as its first line', '.\r\n'],
  ['B1', 'with dots at the start of header lines', '.Subject: x\r\n..y: z\r\n\r\nbody\r\n'],
  [
    'B1',
    'with dots at the start of lines in the middle and at the end',
    'A: b\r\n\r\n.\r\n..\r\n...x\r\nx.\r\n.',
  ],
  ['B1', 'that is one dot', '.'],
  ['B1', 'that looks like the end of a response', 'A: b\r\n\r\n.\r\n+OK bye\r\n.\r\n'],
  ['B2', 'without a last line end', 'A: b\r\n\r\nbody'],
  ['B2', 'that ends in a bare CR', 'A: b\r\n\r\nbody\r'],
  ['B2', 'that ends in a bare LF', 'A: b\r\n\r\nbody\n'],
  ['B3', 'stored with bare LFs', 'A: b\nC: d\n\n.one\ntwo\n'],
  ['B3', 'of empty lines, stored with bare LFs', '\n\n\n'],
  ['B4', 'with bare CRs', 'A: b\r\n\r\none\rtwo\r\rthree\r\n'],
  ['B4', 'with CRCRLF', 'A: b\r\r\n\r\r\nbody\r\r\n'],
  ['B4', 'with a bare LF among CRLFs', 'A: b\r\n\r\none\ntwo\r\n'],
  ['B4', 'with a dot after a bare LF', 'A: b\r\n\r\none\n.\r\nQUIT\r\n'],
  ['B4', 'with a lone dot between bare LFs', 'A: b\r\n\r\none\n.\nDELE 1\r\n'],
  ['B4', 'with a dot after a bare CR', 'A: b\r\n\r\none\r.\r\ntwo\r\n'],
  [
    'B5',
    'of every octet there is',
    Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join(''),
  ],
  ['B5', 'with NULs and invalid UTF-8', 'A: b\r\n\r\n\0\0\xff\xfe\xc3(\xa0\r\n\0'],
  ['B6', 'with a line of 998 octets', `A: b\r\n\r\n${'x'.repeat(998)}\r\n`],
  ['B6', 'with a line of 1000 octets', `A: b\r\n\r\n${'.'.repeat(1000)}\r\n`],
  ['B6', 'that is one line', 'hello'],
  ['B7', 'of no octets', ''],
  ['B7', 'that is one empty line', '\r\n'],
  ['B7', 'that is one bare LF', '\n'],
  ['B7', 'that is only a header', 'A: b\r\nC: d\r\n'],
];

for (const [id, what, stored] of corpus) {
  test(`${id}: a message ${what} is sent exactly, and its octets are what was sent`, async () => {
    assert.deepEqual(await retrieve(stored), onTheWire(stored));
  });
}

for (const [, what, stored] of corpus.filter((entry) => entry[2].length < 60)) {
  test(`B8: a message ${what} is the same wherever it is cut in two, or an octet a chunk`, async () => {
    const wanted = onTheWire(stored);
    const places = Array.from({ length: stored.length + 1 }, (_, place) => place);
    for (const place of places) assert.deepEqual(await retrieve(stored, [place]), wanted, `cut at ${place}`);
    assert.deepEqual(await retrieve(stored, places), wanted);
  });
}

test('B6: a line of 10 MB is sent exactly', async () => {
  const stored = `A: b\r\n\r\n${'x'.repeat(10_000_000)}`;
  const { wire, octets } = await retrieve(stored, [4, 4_000_000]);
  const wanted = onTheWire(stored);
  assert.equal(octets, wanted.octets);
  assert.ok(wire === wanted.wire);
});

test('B9: a message and a maildrop of more than 4 GB have their sizes written out', async () => {
  class Vast extends MemoryMaildrop {
    override readonly totalOctets = 3 * 5_000_000_000;
    override octetsOf(): number {
      return 5_000_000_000;
    }
  }
  const said = await new TestServer([memoryHost(new Vast(['a', 'b', 'c']))]).converse([
    ...login,
    'STAT',
    'LIST',
    'DELE 1',
    'STAT',
  ]);
  assert.deepEqual(said.slice(2), [
    '+OK maildrop has 3 messages (15000000000 octets)',
    '+OK 3 15000000000',
    '+OK 3 messages (15000000000 octets)',
    '1 5000000000',
    '2 5000000000',
    '3 5000000000',
    '.',
    '+OK message 1 deleted',
    '+OK 2 10000000000',
  ]);
});

test('B9: octets past 2 GB and past 4 GB are counted, by the store and on the wire', () => {
  const chunk = Buffer.alloc(64 * 1024 * 1024, 'x');
  const counter = new OctetCounter();
  const encoder = new WireEncoder();
  const target = Buffer.alloc(1024 * 1024);
  for (let chunks = 0; chunks < 65; chunks += 1) counter.add(chunk);
  for (let left = 2 ** 31 + 1024 * 1024; left > 0;)
    left -= encoder.encodeInto(chunk.subarray(0, left), target).readOctets;
  encoder.end();
  assert.equal(counter.end(), 65 * 64 * 1024 * 1024 + 2);
  assert.equal(encoder.bodyOctets, 2 ** 31 + 1024 * 1024 + 2);
});

test('a store that promised more than it sends is named in the log, and the client cannot take the message for whole', async () => {
  class Boaster extends MemoryMaildrop {
    override octetsOf(): number {
      return 1000;
    }
  }
  const server = new TestServer([memoryHost(new Boaster(['a\r\n']))]);
  const said = await server.converse([...login, 'RETR 1', 'NOOP']);
  assert.deepEqual(said.slice(3), ['+OK 1000 octets', 'a']);
  const { plugin, promised, sent } = server.log.find(({ level }) => level === 'error')?.fields ?? {};
  assert.deepEqual([plugin, promised, sent], ['memory-host', 1000, 3]);
});

test('every message of one maildrop is itself', async () => {
  const maildrop = memoryMaildrop(corpus.map(([, , stored]) => stored));
  const lines = [...login, ...corpus.map((_, index) => `RETR ${index + 1}`)];
  const { octets } = await new TestServer([memoryHost(maildrop)]).record(lines);
  const wanted = corpus
    .map(([, , stored]) => onTheWire(stored))
    .map(({ wire, octets: size }) => `+OK ${size} octets\r\n${wire}`);
  assert.ok(Buffer.from(octets).toString('latin1').endsWith(wanted.join('')));
});
