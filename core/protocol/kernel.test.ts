import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { latin1, mailOctets } from '../../test/mail-octets.ts';
import { carriageReturn, lineFeed, minRoomOctets, type Kernel } from './kernel-interface.ts';
import { plainKernel } from './kernel-plain.ts';
import { openSimdKernel } from './kernel-simd.ts';
import { kernelModuleBase64 } from './kernel.generated.ts';
import { kernel } from './kernel.ts';

const simdKernel = openSimdKernel(Buffer.from(kernelModuleBase64, 'base64'));
assert(simdKernel !== undefined, 'this machine has no WebAssembly SIMD: the tests of the kernel need it');

const previousOctets = fc.constantFrom(lineFeed, carriageReturn, 0x2e, 0x61);
/** Long enough for several 16-octet blocks, and at every alignment within one. */
const text = fc.tuple(fc.nat({ max: 40 }), mailOctets).map(([length, octets]) => {
  return Buffer.concat([Buffer.alloc(length, 'x'), octets]);
});

test('a machine with WebAssembly SIMD uses it', () => {
  assert.equal(kernel.name, 'simd');
});

test('a machine that refuses the WebAssembly module serves the same octets without it', () => {
  assert.equal(openSimdKernel(latin1('no module')), undefined);
  const module = new URL('kernel.ts', import.meta.url).href;
  // What an engine without SIMD says to the module.
  const script = `WebAssembly.validate = () => false;
    const { kernel } = await import(${JSON.stringify(module)});
    const slab = Buffer.alloc(64);
    const { writtenOctets } = kernel.encodeInto(Buffer.from('.a\\n'), slab, 10);
    console.log(kernel.name, JSON.stringify(slab.toString('latin1', 0, writtenOctets)));`;
  const options = ['-C', 'popper-source', '--input-type=module', '--eval', script];
  assert.equal(execFileSync(process.execPath, options, { encoding: 'latin1' }), 'plain "..a\\r\\n"\n');
});

test('both kernels send the same octets for any message and any room', () => {
  const rooms = fc.oneof(fc.nat({ max: 400 }), fc.constant(4096));
  fc.assert(
    fc.property(text, previousOctets, rooms, (octets, previous, room) => {
      assert.deepEqual(
        encoded(simdKernel, octets, previous, room),
        encoded(plainKernel, octets, previous, room),
      );
    }),
    { numRuns: 1000 },
  );
});

test('both kernels count the same line feeds', () => {
  fc.assert(
    fc.property(text, previousOctets, (octets, previous) => {
      assert.equal(simdKernel.countLineFeeds(octets), plainKernel.countLineFeeds(octets));
      assert.equal(
        simdKernel.countBareLineFeeds(octets, previous),
        plainKernel.countBareLineFeeds(octets, previous),
      );
    }),
    { numRuns: 1000 },
  );
});

test('both kernels find the same lines, for a prefix of any length', () => {
  const prefixes = fc.constantFrom('From ', 'From', 'Fr', 'F', '.');
  fc.assert(
    fc.property(text, previousOctets, prefixes, (octets, previous, prefix) => {
      assert.deepEqual(
        hits(simdKernel, octets, previous, prefix),
        hits(plainKernel, octets, previous, prefix),
      );
    }),
    { numRuns: 1000 },
  );
});

test('both kernels agree on a text far larger than the memory they work in, and of nothing but line ends', () => {
  const long = Buffer.from('.\nFrom \r\n\n'.repeat(30_000).slice(0, 200_003));
  for (const octets of [
    long,
    Buffer.alloc(150_001, '\n'),
    Buffer.alloc(150_001, '.'),
    Buffer.alloc(70_000, 'x'),
  ]) {
    for (const start of [0, 1, 7]) {
      const piece = octets.subarray(start);
      assert.deepEqual(encoded(simdKernel, piece, 10, 400_010), encoded(plainKernel, piece, 10, 400_010));
      assert.equal(simdKernel.countLineFeeds(piece), plainKernel.countLineFeeds(piece));
      assert.equal(simdKernel.countBareLineFeeds(piece, 13), plainKernel.countBareLineFeeds(piece, 13));
      assert.deepEqual(hits(simdKernel, piece, 10, 'From '), hits(plainKernel, piece, 10, 'From '));
    }
  }
});

test('a From_ line that lies over the end of the memory the kernel works in is found', () => {
  for (let index = 65_520; index < 65_550; index += 1) {
    const octets = Buffer.alloc(66_000, 'x');
    octets.write('\nFrom ', index);
    assert.deepEqual(hits(simdKernel, octets, lineFeed, 'From '), { bare: 1, found: [[index + 1, 1]] });
  }
});

test('a kernel never writes past the room it was given, and always gets on with the least it asks for', () => {
  for (const one of [simdKernel, plainKernel]) {
    for (const room of [0, 1, 2, 3, 100, minRoomOctets - 1, minRoomOctets, minRoomOctets + 1]) {
      const slab = Buffer.alloc(room + 32, 0xee);
      const { readOctets } = one.encodeInto(Buffer.alloc(5000, '\n'), slab.subarray(0, room), lineFeed);
      assert.equal(readOctets > 0, room >= minRoomOctets);
      assert.deepEqual(slab.subarray(room), Buffer.alloc(32, 0xee));
    }
  }
});

test('a slab of the kernel gets the same octets, from any place on, and what lies around them stays', () => {
  const slabOctets = 8192;
  const [slab, next] = [simdKernel.newSlab(slabOctets), simdKernel.newSlab(slabOctets)];
  assert(slab !== undefined && next !== undefined);
  const places = fc.oneof(
    fc.nat({ max: slabOctets }),
    fc.nat({ max: 40 }).map((left) => slabOctets - left),
  );
  fc.assert(
    fc.property(text, previousOctets, places, (octets, previous, at) => {
      slab.fill(0xee);
      next.fill(0xee);
      const plain = Buffer.alloc(slabOctets, 0xee);
      const { writtenOctets, ...progress } = simdKernel.encodeInto(octets, slab, previous, at);
      const expected = plainKernel.encodeInto(octets, plain, previous, at);
      assert.deepEqual({ writtenOctets, ...progress }, expected);
      const end = at + writtenOctets;
      assert.ok(slab.subarray(0, end).equals(plain.subarray(0, end)));
      assert.ok(next.equals(Buffer.alloc(slabOctets, 0xee)));
    }),
    { numRuns: 1000 },
  );
});

test('the kernel has some slabs, none twice, and says when there are no more', () => {
  const own = openSimdKernel(Buffer.from(kernelModuleBase64, 'base64'));
  assert(own !== undefined);
  const slabs: Buffer[] = [];
  for (let slab = own.newSlab(65_536); slab !== undefined; slab = own.newSlab(65_536)) {
    slab.fill(slabs.length);
    slabs.push(slab);
  }
  assert.ok(slabs.length >= 16);
  for (const [index, slab] of slabs.entries()) assert.ok(slab.equals(Buffer.alloc(65_536, index)));
  assert.equal(plainKernel.newSlab(65_536), undefined);
});

function encoded(one: Kernel, octets: Uint8Array, previous: number, room: number): unknown {
  const slab = Buffer.alloc(room);
  const progress = one.encodeInto(octets, slab, previous);
  return { ...progress, wire: slab.toString('latin1', 0, progress.writtenOctets) };
}

function hits(one: Kernel, octets: Uint8Array, previous: number, prefix: string): unknown {
  const found: [number, number][] = [];
  const bare = one.scanLineStarts(octets, previous, latin1(prefix), (index, bareBefore) => {
    found.push([index, bareBefore]);
  });
  return { bare, found };
}
