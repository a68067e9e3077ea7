import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';

import { takeRoom } from './commit/index.ts';
import type { IndexHeader } from './index-header.ts';
import { MessageChunks } from './message-chunks.ts';
import { MessageReader, type ReadAhead } from './message-reader.ts';
import type { Extent } from './rows.ts';
import { stampOf } from './survey.ts';
import { TextFile } from './testing/scanning.ts';
import { WindowPool } from './window-pool.ts';

const envelope = 'From mrose Sun Mar  8 10:00:00 1992\n';

const contentOctets = 300_000;
const mailboxOf = (letter: string): string => `${envelope}${letter.repeat(contentOctets)}`;

/** A mailbox of one long message of one letter. */
async function readerOf(
  letter: string,
  windows: WindowPool,
  { file = new TextFile(mailboxOf(letter)), ahead }: { file?: TextFile; ahead?: ReadAhead } = {},
): Promise<[MessageReader, Extent]> {
  const stamp = stampOf(await file.stat(), '');
  const header: IndexHeader = {
    stamp,
    count: 1,
    totalOctets: contentOctets,
    scannedOctets: stamp.octets,
    tailDigest: Buffer.alloc(32),
    contentLength: false,
  };
  const extent = { offset: 0, envelopeOctets: envelope.length, contentOctets, separatorOctets: 0 };
  return [new MessageReader(file, header, windows, ahead), extent];
}

const { signal } = new AbortController();

/** The message at this place, if it is there. */
async function chunksOf(reader: MessageReader, extent: Extent): Promise<AsyncIterable<Buffer>> {
  assert.ok(await reader.find(extent));
  const found = { reader, extent };
  const finder = { findHere: () => found, find: async () => found, isStillThere: async () => true };
  return new MessageChunks(finder, signal);
}

async function readAll(reader: MessageReader, extent: Extent): Promise<string> {
  let text = '';
  for await (const chunk of await chunksOf(reader, extent)) text += chunk.toString('latin1');
  return text;
}

describe('memory to read ahead into', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('is kept while a client is slow, and not given to another', async () => {
    const windows = new WindowPool(16 * 1024, 1);
    const [slow, extent] = await readerOf('s', windows);
    assert.equal(await readAll(slow, extent), 's'.repeat(extent.contentOctets));
    const [other, otherExtent] = await readerOf('o', windows);
    let text = '';
    for await (const chunk of await chunksOf(slow, extent)) {
      mock.timers.tick(60_000);
      assert.equal(await readAll(other, otherExtent), 'o'.repeat(extent.contentOctets));
      text += chunk.toString('latin1');
    }
    assert.equal(text, 's'.repeat(extent.contentOctets));
  });

  it('is let go by a client that only waits, and by one that leaves', async () => {
    const windows = new WindowPool(16 * 1024, 1);
    for (const leave of [() => mock.timers.tick(60_000), (reader: MessageReader) => reader.close()]) {
      const [reader, extent] = await readerOf('s', windows);
      await readAll(reader, extent);
      assert.equal(windows.takeLarge(), undefined);
      await leave(reader);
      const window = windows.takeLarge();
      assert.ok(window !== undefined, 'it was not let go');
      window.giveBack();
      if (leave.length === 0) assert.equal((await readAll(reader, extent)).length, extent.contentOctets);
      await reader.close();
    }
  });
});

/** A mailbox of such a message, in memory. */
function readAhead(windows: WindowPool, letter: string): ReadAhead {
  const text = Buffer.from(mailboxOf(letter));
  const room = takeRoom(text.length);
  text.copy(room.octets);
  const window = windows.adopt(room);
  assert.ok(window !== undefined);
  return { window, start: 0, filledOctets: text.length };
}

describe('what was read when the mailbox was looked through', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('is not read again', async () => {
    const windows = new WindowPool(16 * 1024, 1);
    const file = new TextFile(mailboxOf('s'));
    const [reader, extent] = await readerOf('s', windows, { file, ahead: readAhead(windows, 's') });
    assert.equal(await readAll(reader, extent), 's'.repeat(contentOctets));
    assert.equal(file.readOctets, 0);
    await reader.close();
  });

  it('is not sent to a client once the mailbox is another', async () => {
    const windows = new WindowPool(16 * 1024, 1);
    const file = new TextFile(mailboxOf('s'));
    const [reader, extent] = await readerOf('s', windows, { file, ahead: readAhead(windows, 's') });
    file.stat = () => new TextFile('another').stat();
    assert.equal(await reader.find(extent), false);
    await reader.close();
  });

  it('is let go by a client that fetches nothing', async () => {
    const windows = new WindowPool(16 * 1024, 1);
    const file = new TextFile(mailboxOf('s'));
    const [reader, extent] = await readerOf('s', windows, { file, ahead: readAhead(windows, 's') });
    assert.equal(windows.takeLarge(), undefined);
    mock.timers.tick(60_000);
    const window = windows.takeLarge();
    assert.ok(window !== undefined, 'it was not let go');
    window.octets.fill('x');
    assert.equal(await readAll(reader, extent), 's'.repeat(contentOctets));
    await reader.close();
  });

  it('does not make all later reads as small as a little new mail was', async () => {
    const windows = new WindowPool(100 * 1024, 0);
    const file = new TextFile(mailboxOf('s'));
    const room = takeRoom(100);
    const window = windows.adopt(room);
    assert.ok(window !== undefined);
    const ahead = { window, start: contentOctets, filledOctets: 0 };
    const [reader, extent] = await readerOf('s', windows, { file, ahead });
    let chunkCount = 0;
    for await (const chunk of await chunksOf(reader, extent)) chunkCount += chunk.length > 0 ? 1 : 0;
    assert.equal(chunkCount, Math.ceil((contentOctets + envelope.length) / windows.smallOctets));
    await reader.close();
  });
});
