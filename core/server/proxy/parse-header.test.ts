import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { crc32c } from './crc32c.ts';
import { MalformedHeader } from './header.ts';
import { parseProxyHeader } from './parse-header.ts';
import { extension, version1, version2, withChecksum } from './testing/headers.ts';

const maxOctets = 4096;

const ends4 = { source: '192.0.2.1', destination: '198.51.100.7', sourcePort: 40_000, destinationPort: 110 };
const ends6 = { ...ends4, source: '2001:db8::1', destination: '2001:db8::110' };

const ipEnds = fc
  .record({
    source: fc.ipV4(),
    destination: fc.ipV4(),
    sourcePort: fc.nat(65_535),
    destinationPort: fc.nat(65_535),
  })
  .chain((four) =>
    fc.oneof(
      fc.constant(four),
      fc.record({ source: hexGroups, destination: hexGroups }).map((six) => ({ ...four, ...six })),
    ),
  );

const hexGroups = fc
  .array(fc.integer({ min: 1, max: 0xffff }), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((group) => group.toString(16)).join(':'));

const extensions = fc.array(
  fc
    .tuple(fc.integer({ min: 4, max: 0xff }), fc.uint8Array({ maxLength: 300 }))
    .map(([type, value]) => extension(type, value)),
  { maxLength: 8 },
);

const anyHeader = fc
  .tuple(ipEnds, extensions, fc.constantFrom('1', '2', 'checked'))
  .map(([ends, more, kind]) => {
    if (kind === '1') return { ends, header: version1(ends) };
    const header = version2(ends, kind === '2' ? more : [...more, extension(3, Buffer.alloc(4))]);
    return { ends, header: kind === '2' ? header : withChecksum(header) };
  });

test('whatever a proxy says in either version is understood, and what follows is left to the client', () => {
  fc.assert(
    fc.property(anyHeader, fc.uint8Array(), ({ ends, header }, rest) => {
      assert.deepEqual(parseProxyHeader(Buffer.concat([header, rest])), {
        octets: header.length,
        client: {
          peer: { address: ends.source, port: ends.sourcePort },
          local: { address: ends.destination, port: ends.destinationPort },
        },
      });
    }),
  );
});

test('a header that is not all there yet is waited for, wherever it is cut', () => {
  fc.assert(
    fc.property(anyHeader, ({ header }) => {
      for (let length = 0; length < header.length; length += 1)
        assert.equal(parseProxyHeader(header.subarray(0, length)), undefined, `cut at ${length}`);
    }),
    { numRuns: 30 },
  );
});

test('no octets make it fail but in its own way, read beyond what is there, or wait for more than 4096', () => {
  const begun = fc.constantFrom(
    '',
    'PROXY ',
    'PROXY TCP4 ',
    '\r\n\r\n\0\r\nQUIT\n',
    '\r\n\r\n\0\r\nQUIT\n\x21\x11',
  );
  fc.assert(
    fc.property(begun, fc.uint8Array({ maxLength: 5000 }), (start, rest) => {
      const octets = Buffer.concat([Buffer.from(start, 'latin1'), rest]);
      const header = parsed(octets);
      if (header === undefined) assert.ok(octets.length < maxOctets);
      else if (header !== 'malformed') assert.ok(header.octets <= Math.min(octets.length, maxOctets));
    }),
    { numRuns: 2000 },
  );
});

test('one octet that is wrong in a header with a checksum is always noticed', () => {
  const header = withChecksum(
    version2(ends4, [extension(5, Buffer.from('id')), extension(3, Buffer.alloc(4))]),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 16, max: header.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      (at, change) => {
        const wrong = Buffer.from(header);
        wrong[at] = (wrong[at] ?? 0) ^ change;
        // A length that is wrong, or a checksum that is no longer called so, may leave something else that is in order.
        const isShape = at >= 28 && (at < 31 || (at >= 33 && at < 36));
        if (!isShape) assert.equal(parsed(wrong), 'malformed');
      },
    ),
  );
});

const speaksForItself: readonly (readonly [who: string, header: Buffer])[] = [
  ['a proxy of version 1 that does not know', Buffer.from('PROXY UNKNOWN\r\n')],
  ['one that does not know and yet says much', Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n')],
  ['a health check', version2(ends4, [], { command: 0x20 })],
  [
    'a health check that has nothing to add',
    version2({ raw: Buffer.alloc(0) }, [], { command: 0x20, family: 0 }),
  ],
  [
    'a health check of a family that is none',
    version2({ raw: Buffer.alloc(3) }, [], { command: 0x20, family: 0x99 }),
  ],
  ['a proxy of version 2 for something unspecified', version2({ raw: Buffer.alloc(0) }, [], { family: 0 })],
];

for (const [who, header] of speaksForItself) {
  test(`${who} is taken for who the socket says it is`, () => {
    assert.deepEqual(parseProxyHeader(header), { octets: header.length, client: undefined });
  });
}

test('a client of a unix socket has no address', () => {
  const header = version2({ raw: Buffer.alloc(216, 'path') }, [], { family: 0x31 });
  const unix = { address: 'unix', port: 0 };
  assert.deepEqual(parseProxyHeader(header)?.client, { peer: unix, local: unix });
});

test('an address is the same however the proxy writes it', () => {
  const same: readonly (readonly [written: string, address: string])[] = [
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
  ];
  for (const [source, address] of same) {
    const ends = { ...ends6, source };
    assert.equal(parseProxyHeader(version1(ends))?.client?.peer.address, address);
  }
  const octets = '0:0:0:0:0:ffff:c000:201';
  const mapped = version2({ ...ends6, source: octets, destination: octets });
  assert.equal(parseProxyHeader(mapped)?.client?.peer.address, '192.0.2.1');
});

const line = (text: string): Buffer => Buffer.from(`PROXY ${text}\r\n`, 'latin1');
const tooShort = version2(ends4);
tooShort.writeUInt16BE(11, 14);

const malformed: readonly (readonly [what: string, octets: Buffer])[] = [
  ['a command of POP3', Buffer.from('USER mrose\r\n')],
  ['a handshake of TLS', Buffer.from([0x16, 3, 1, 2, 0, 1])],
  ['small letters', Buffer.from('proxy TCP4')],
  ['version 1 without a line end', Buffer.from(`PROXY UNKNOWN ${'x'.repeat(93)}`)],
  ['another family', line('TCP5 192.0.2.1 192.0.2.2 1 2')],
  ['no family', line('')],
  ['two spaces', line('TCP4  192.0.2.1 192.0.2.2 1 2')],
  ['an address of the other family', line('TCP4 ::1 ::2 1 2')],
  ['a name', line('TCP4 localhost localhost 1 2')],
  ['an address with zeros before it', line('TCP4 192.0.2.01 192.0.2.2 1 2')],
  ['an address with a zone', line('TCP6 fe80::1%eth0 fe80::2 1 2')],
  ['too few words', line('TCP4 192.0.2.1 192.0.2.2 1')],
  ['too many words', line('TCP4 192.0.2.1 192.0.2.2 1 2 3')],
  ['a port that is too high', line('TCP4 192.0.2.1 192.0.2.2 65536 2')],
  ['a port with a zero before it', line('TCP4 192.0.2.1 192.0.2.2 01 2')],
  ['a port below zero', line('TCP4 192.0.2.1 192.0.2.2 -1 2')],
  ['an LF alone in the middle', line('TCP4 192.0.2.1 192.0.2.2 1 2\nUSER x')],
  ['version 3', version2(ends4, [], { command: 0x31 })],
  ['a command that is not yet one', version2(ends4, [], { command: 0x22 })],
  ['datagrams', version2(ends4, [], { family: 0x12 })],
  ['less than its addresses take', tooShort],
  ['IPv6 with room for IPv4', version2(ends4, [], { family: 0x21 })],
  ['half an extension', version2(ends4, [Buffer.from([4, 0])])],
  ['an extension longer than the header', version2(ends4, [Buffer.from([4, 0, 2, 1])])],
  ['a checksum of three octets', version2(ends4, [extension(3, Buffer.alloc(3))])],
  ['a checksum that is wrong', version2(ends4, [extension(3, Buffer.alloc(4))])],
  ['more octets than anybody needs', version2(ends4, [extension(4, Buffer.alloc(4066))])],
];

for (const [what, octets] of malformed) {
  test(`${what}: no header, and none is waited for`, () => assert.equal(parsed(octets), 'malformed'));
}

test('as many octets as are allowed are read', () => {
  const header = version2(ends4, [extension(4, Buffer.alloc(4065))]);
  assert.equal(header.length, maxOctets);
  assert.equal(parseProxyHeader(header)?.octets, maxOctets);
});

test('a header that is too long is refused by what it says of itself, before it comes', () => {
  const header = version2(ends4, [extension(4, Buffer.alloc(5000))]);
  assert.equal(parsed(header.subarray(0, 16)), 'malformed');
});

test('the checksum is the one that others compute', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
});

function parsed(octets: Buffer) {
  try {
    return parseProxyHeader(octets);
  } catch (error) {
    assert.ok(error instanceof MalformedHeader);
    return 'malformed';
  }
}
