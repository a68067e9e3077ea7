import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { sha256 } from './canonical.ts';
import { realFiles } from './commit/index.ts';
import { IndexFile } from './index-file.ts';
import { headerOctets, type IndexHeader, isSameMailbox, rowsPerBlockOf } from './index-header.ts';
import { Rows, RowsBuilder, rowOctets } from './rows.ts';
import { WatchedFiles } from './testing/watched-files.ts';

const messageOctets = 100;
const rowsOf = (count: number, first = 0): Rows => {
  const builder = new RowsBuilder();
  for (let index = first; index < first + count; index += 1) {
    const digest = sha256(Buffer.from(`message ${index}`));
    const extent = {
      offset: index * messageOctets,
      envelopeOctets: 20,
      contentOctets: 79,
      separatorOctets: 1,
    };
    builder.add({ ...extent, octets: 82, digest, uid: digest.subarray(0, 16) });
  }
  return builder.build();
};

const headerFor = ({ count }: Rows): IndexHeader => ({
  stamp: {
    bootId: '0b1ff9bf-0f2c-4d22-a4c7-5a0e1d7cbb32',
    dev: 2049n,
    ino: 2n ** 63n + 5n,
    octets: count * messageOctets,
    mtimeNs: 1_700_000_000_123_456_789n,
    ctimeNs: 1_700_000_000_123_456_790n,
  },
  count,
  totalOctets: count * 82,
  scannedOctets: count * messageOctets,
  tailDigest: sha256(Buffer.from('tail')),
  contentLength: false,
});

describe('an index that is kept on disk', () => {
  let folder = '';
  let path = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'popper-index-'));
    path = join(folder, 'mailbox.index');
  });
  after(() => rm(folder, { recursive: true }));

  const index = (): IndexFile => new IndexFile(realFiles, path, true);

  it('is read as it was written, big or empty', async () => {
    for (const count of [0, 1, 3, rowsPerBlockOf(0), rowsPerBlockOf(0) + 1, 40_000]) {
      const rows = rowsOf(count);
      await index().write(headerFor(rows), rows);
      assert.deepEqual(await index().readHeader(), headerFor(rows));
      assert.ok((await index().readRows(headerFor(rows)))?.octets.equals(rows.octets));
    }
  });

  it('is none if it is not there', async () => {
    await index().remove();
    await index().remove();
    assert.equal(await index().readHeader(), undefined);
    assert.equal(await index().readRows(headerFor(rowsOf(1))), undefined);
    assert.equal(await index().extend(headerFor(rowsOf(1)), headerFor(rowsOf(2)), rowsOf(2)), false);
  });

  it('is written anew where a process died while it wrote', async () => {
    await writeFile(`${path}.new`, 'half of one');
    await index().write(headerFor(rowsOf(2)), rowsOf(2));
    assert.deepEqual(await index().readHeader(), headerFor(rowsOf(2)));
  });

  it('grows by rows without being written again', async () => {
    for (const [former, count] of [
      [1, 3],
      [rowsPerBlockOf(0) - 1, rowsPerBlockOf(0) + 1],
      [rowsPerBlockOf(0), rowsPerBlockOf(0) + 1],
      [3, 3],
    ] as const) {
      await index().write(headerFor(rowsOf(former)), rowsOf(former));
      assert.ok(await index().extend(headerFor(rowsOf(former)), headerFor(rowsOf(count)), rowsOf(count)));
      assert.ok((await index().readRows(headerFor(rowsOf(count))))?.octets.equals(rowsOf(count).octets));
    }
  });

  it('does not grow if it is not the one that was known', async () => {
    await index().write(headerFor(rowsOf(2)), rowsOf(2));
    assert.equal(await index().extend(headerFor(rowsOf(1)), headerFor(rowsOf(3)), rowsOf(3)), false);
    assert.deepEqual(await index().readHeader(), headerFor(rowsOf(2)));
  });

  it('is still true for the old rows if the process died before the header was written', async () => {
    await index().write(headerFor(rowsOf(2)), rowsOf(2));
    const octets = await readFile(path);
    await writeFile(path, Buffer.concat([octets, rowsOf(1, 2).octets]));
    assert.ok((await index().readRows(headerFor(rowsOf(2))))?.octets.equals(rowsOf(2).octets));
  });

  it('is waited for only where messages are equal, and not where nothing is ever waited for', async () => {
    const twins = new Rows(Buffer.from(rowsOf(3).octets));
    twins.octets.fill(7, 2 * rowOctets - 16, 2 * rowOctets);
    const waitsFor = async (rows: Rows, syncs: boolean): Promise<string[]> => {
      const files = new WatchedFiles(realFiles);
      await new IndexFile(files, path, syncs).write(headerFor(rows), rows);
      return files.calls.map(({ what }) => what).filter((what) => /sync/i.test(what));
    };
    assert.deepEqual(await waitsFor(rowsOf(3), true), []);
    assert.deepEqual(await waitsFor(twins, true), ['dataSync', 'syncFolder']);
    assert.deepEqual(await waitsFor(twins, false), []);
    assert.ok((await index().readRows(headerFor(twins)))?.octets.equals(twins.octets));
  });

  it('is not believed if any octet of it was changed', async () => {
    const rows = rowsOf(3);
    await index().write(headerFor(rows), rows);
    const sound = await readFile(path);
    for (let at = 0; at < sound.length; at += at < 256 ? 1 : 29) {
      const damaged = Buffer.from(sound);
      damaged[at] = (damaged[at] ?? 0) ^ 0x40;
      await writeFile(path, damaged);
      const found = await index().readHeader();
      const foundRows = found && (await index().readRows(found));
      assert.equal(foundRows, undefined, `octet ${at} was changed and nobody noticed`);
    }
  });

  it('is not believed if it was cut off anywhere', async () => {
    const rows = rowsOf(3);
    await index().write(headerFor(rows), rows);
    const sound = await readFile(path);
    for (const octets of [0, 1, headerOctets - 1, headerOctets, headerOctets + rowOctets, sound.length - 1]) {
      await writeFile(path, sound.subarray(0, octets));
      assert.equal(await index().readRows(headerFor(rows)), undefined);
    }
  });

  it('is not believed if its numbers cannot be true, though its digests are right', async () => {
    const sound = headerFor(rowsOf(3));
    const forged: readonly Partial<IndexHeader>[] = [
      { count: -1 },
      { count: 1.5 },
      { count: 2 ** 53 },
      { count: 1_000_000 },
      { totalOctets: -1 },
      { totalOctets: 2 ** 52 },
      { scannedOctets: 301 },
      { scannedOctets: Number.NaN },
      { stamp: { ...sound.stamp, octets: Number.POSITIVE_INFINITY } },
    ];
    for (const part of forged) {
      await index().write({ ...sound, ...part }, rowsOf(3));
      assert.equal(await index().readHeader(), undefined, `${Object.keys(part).join()} was believed`);
    }
  });

  it('takes no memory for rows that its header tells of and that are not there', async () => {
    const count = 1_000_000;
    const scannedOctets = count * 5;
    const sound = headerFor(rowsOf(3));
    const forged = { ...sound, count, scannedOctets, stamp: { ...sound.stamp, octets: scannedOctets } };
    await index().write(forged, rowsOf(3));
    assert.deepEqual(await index().readHeader(), forged);
    const files = new WatchedFiles(realFiles);
    assert.equal(await new IndexFile(files, path, true).readRows(forged), undefined);
    assert.ok(files.readOctets(path) <= headerOctets + 3 * rowOctets);
  });

  it('is not believed if its rows cannot be true, though their digests are right', async () => {
    const fields: readonly (readonly [number, number])[] = [
      [0, 1],
      [0, -1],
      [8, 80],
      [8, Number.NaN],
      [16, 10],
      [16, 1000],
      [16, 81.5],
    ];
    for (const [field, value] of fields) {
      const rows = new Rows(Buffer.from(rowsOf(3).octets));
      rows.octets.writeDoubleLE(value, rowOctets + field);
      await index().write(headerFor(rows), rows);
      assert.equal(await index().readRows(headerFor(rows)), undefined, `${value} at ${field} was believed`);
    }
    for (const [field, value] of [
      [24, 3],
      [28, 3],
    ] as const) {
      const rows = new Rows(Buffer.from(rowsOf(3).octets));
      rows.octets.writeUInt32LE(value, rowOctets + field);
      await index().write(headerFor(rows), rows);
      assert.equal(await index().readRows(headerFor(rows)), undefined, `${value} at ${field} was believed`);
    }
  });
});

describe('a mailbox is the same', () => {
  const { stamp } = headerFor(rowsOf(3));

  it('if nothing of it changed', () => assert.ok(isSameMailbox(stamp, { ...stamp })));

  for (const [what, change] of [
    ['file', { ino: 1n }],
    ['device', { dev: 1n }],
    ['size', { octets: 299 }],
    ['time of writing', { mtimeNs: stamp.mtimeNs + 1n }],
    ['time of change', { ctimeNs: stamp.ctimeNs + 1n }],
  ] as const) {
    it(`not if it has another ${what}`, () => assert.ok(!isSameMailbox(stamp, { ...stamp, ...change })));
  }

  it('after a start of the machine that changed the number of its device', () => {
    assert.ok(isSameMailbox(stamp, { ...stamp, bootId: 'another', dev: 1n }));
    assert.ok(!isSameMailbox(stamp, { ...stamp, bootId: 'another', ino: 1n }));
  });
});
