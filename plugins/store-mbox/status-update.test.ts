import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';

import * as fc from 'fast-check';
import type { Maildrop } from 'popperd';

import { realFiles } from './commit/index.ts';
import type { Options } from './options.ts';
import { MboxUnderTest } from './testing/mbox-under-test.ts';
import { MortalFiles } from './testing/mortal-files.ts';
import { lockByFcntl } from './testing/other-programs.ts';
import { letter, letters, type Listing, listingOf, session, textOf } from './testing/sessions.ts';
import { systemError, WatchedFiles } from './testing/watched-files.ts';

let store: MboxUnderTest;
let files: WatchedFiles;
async function make(settings: Partial<Options> = {}, under = realFiles): Promise<void> {
  await store?.dispose();
  files = new WatchedFiles(under);
  store = await MboxUnderTest.make({ updateStatus: true, ...settings }, files);
}
beforeEach(() => make());
afterEach(() => store.dispose());

/** A session in which some messages are retrieved and some deleted. */
async function visit(retrieved: readonly number[], deleted: readonly number[] = []): Promise<void> {
  const maildrop = await store.open();
  try {
    await maildrop.load?.();
    for (const index of retrieved) await textOf(maildrop, index);
    if (deleted.length > 0) await maildrop.commit(new Set(deleted));
  } finally {
    await maildrop.close();
  }
}

/** What there is, without retrieving it in a session of its own. */
async function look(
  settings: Partial<Options> = {},
): Promise<Listing & { readonly sentOctets: readonly number[] }> {
  const state = await MboxUnderTest.make(settings);
  try {
    await state.write(await store.content());
    const listing = await session(state);
    const sentOctets = listing.texts.map((text) => text.replaceAll(/\r?\n/g, '\r\n').length);
    return { ...listing, sentOctets };
  } finally {
    await state.dispose();
  }
}

async function listed(): Promise<Pick<Listing, 'uids' | 'octets'>> {
  const maildrop: Maildrop = await store.open();
  await maildrop.load?.();
  const indexes = [...Array(maildrop.count).keys()];
  const listing = {
    uids: indexes.map((index) => maildrop.uidOf(index)),
    octets: indexes.map((index) => maildrop.octetsOf(index)),
  };
  await maildrop.close();
  return listing;
}

const withStatus = (number: number, status: string): string =>
  letter(number).replace('\n\n', `\nStatus: ${status}\n\n`);

const plain = (text: string): string => text.replaceAll(/^Status:.*\r?\n/gm, '');
const large = (number: number): Buffer => Buffer.from(letter(number, `${'x'.repeat(1023)}\n`.repeat(20_000)));

/** Fetches all, and sees that nothing was written. */
async function fetchInVain(): Promise<void> {
  await store.deliver('mrose', letters(1, 2));
  const content = await store.content();
  await visit([0, 1]);
  files.before = () => {};
  assert.equal(await store.content(), content);
  assert.match(store.logged.map(({ message }) => message).join('\n'), /`Status:` was not written/);
}

describe('who reads his mail with a mail program, too', () => {
  it('sees what he has fetched by POP3, and what he has not', async () => {
    await store.deliver('mrose', letters(1, 2, 3));
    const before = await look();
    await visit([1]);
    const after = await look();
    assert.deepEqual(after.texts, [withStatus(1, 'U'), withStatus(2, 'RO'), withStatus(3, 'U')]);
    assert.deepEqual(after.uids, before.uids);
    assert.deepEqual(await listed(), { uids: after.uids, octets: after.sentOctets });
    await visit([0]);
    assert.deepEqual((await look()).texts[0], withStatus(1, 'RO'));
  });

  it('sees it after a session that was lost, from which nothing is removed', async () => {
    await store.deliver('mrose', letters(1));
    const maildrop = await store.open();
    await listingOf(maildrop);
    await maildrop.close();
    assert.deepEqual((await look()).texts, [withStatus(1, 'RO')]);
  });

  it('is not told that he has read what a client only looked at the top of', async () => {
    await store.deliver('mrose', [Buffer.from(letter(1, 'x\n'.repeat(200_000)))]);
    const maildrop = await store.open();
    await maildrop.load?.();
    for await (const chunk of maildrop.read(0, AbortSignal.timeout(10_000))) if (chunk.length > 0) break;
    await maildrop.close();
    assert.match((await look()).texts[0] ?? '', /^Status: U$/m);
  });

  it('has what was left of a session that deleted some, and the mail that came during it', async () => {
    await store.deliver('mrose', letters(1, 2, 3));
    const maildrop = await store.open();
    await listingOf(maildrop);
    await appendFile(store.pathOf(), `${MboxUnderTest.envelopeOf(9)}${letter(4)}\n`);
    await maildrop.commit(new Set([0, 2]));
    await maildrop.close();
    assert.deepEqual((await look()).texts, [withStatus(2, 'RO'), letter(4)]);
  });

  it('has equal messages keep their unique-ids', async () => {
    await store.deliver('mrose', letters(1, 1));
    await store.deliver('mrose', letters(1));
    const before = await listed();
    await visit([2], [0]);
    assert.deepEqual((await listed()).uids, before.uids.slice(1));
    await store.restart();
    assert.deepEqual((await listed()).uids, before.uids.slice(1));
  });

  it('has nothing written twice: a session that finds all as it was does not open the mailbox', async () => {
    await store.deliver('mrose', letters(1, 2));
    await visit([0]);
    files.forget();
    await listed();
    assert.deepEqual(
      files.callsTo(store.pathOf()).filter(({ what }) => what !== 'lstat'),
      [],
    );
    await store.restart();
    const content = await store.content();
    await listed();
    assert.equal(await store.content(), content);
  });

  it('has any mailbox stay what it is but for the fields, and the index right', async () => {
    const texts = [
      '',
      '\n',
      'H: 1\n',
      letter(1),
      letter(2),
      'A: 1\r\n\r\nx\r\n',
      withStatus(3, 'O'),
      'x\n\n\n',
      `A: 1\n${MboxUnderTest.envelopeOf(1)}\nx\n`,
      'A: 1\rStatus: U\n\nx\n',
    ];
    const drop = fc.array(fc.record({ text: fc.constantFrom(...texts), isRetrieved: fc.boolean() }), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(drop, async (messages) => {
        await make();
        await store.write(messages.map(({ text }) => `${MboxUnderTest.envelopeOf(0)}${text}\n`).join(''));
        const before = await look();
        await visit([...messages.keys()].filter((index) => messages[index]?.isRetrieved));
        const after = await look();
        assert.deepEqual(after.texts.map(plain), before.texts.map(plain));
        assert.deepEqual(after.uids, before.uids);
        assert.deepEqual(await listed(), { uids: after.uids, octets: after.sentOctets });
      }),
      { numRuns: 40 },
    );
  });
});

/** Fetches all, and mail is added without a lock when so many octets of the mailbox have been read at once. */
async function fetchWhileAddedTo(readOctets: number, added: string): Promise<void> {
  const maildrop = await store.open();
  await listingOf(maildrop);
  files.before = async ({ what, path, octets }) => {
    if (what !== 'read' || path !== store.pathOf() || octets !== readOctets) return;
    files.before = () => {};
    await appendFile(path, added);
  };
  await maildrop.close();
}

describe('mail that comes while it is written', () => {
  it('stays, although it is shorter than the fields and its program knows no lock', async () => {
    const numbers = [...Array(100).keys()];
    await store.deliver('mrose', letters(...numbers));
    const { length } = await store.content();
    const added = `${MboxUnderTest.envelopeOf(9)}${letter(7)}\n`;
    const firstHeader = MboxUnderTest.envelopeOf(0).length + letter(0).indexOf('\n\n') + 1;
    await fetchWhileAddedTo(length - firstHeader, added);
    const { texts } = await look();
    assert.deepEqual(
      texts.map(plain),
      [...numbers, 7].map((number) => letter(number)),
    );
  });

  it('says that it is unread after the next session', async () => {
    await store.deliver('mrose', letters(1, 2));
    const maildrop = await store.open();
    await listingOf(maildrop);
    await store.deliver('mrose', letters(3));
    await maildrop.commit(new Set([1]));
    await maildrop.close();
    await visit([]);
    assert.deepEqual((await look()).texts, [withStatus(1, 'RO'), withStatus(3, 'U')]);
  });
});

describe('what cannot be written', () => {
  it('because a `Content-Length:` that lies would then be believed is left out', async () => {
    await make({ contentLength: true });
    const others = letters(2, 3).map((text) => `${MboxUnderTest.envelopeOf(0)}${text.toString()}\n`);
    const body = 'x\n';
    const lie = `\n${others[0]}`.length + body.length + 'Status: U\n'.length;
    const first = `A: 1\nContent-Length: ${lie}\n\n${body}`;
    await store.write([`${MboxUnderTest.envelopeOf(0)}${first}\n`, ...others].join(''));
    const before = await look({ contentLength: true });
    await visit([0]);
    assert.equal(before.uids.length, 3);
    assert.deepEqual((await look({ contentLength: true })).uids, before.uids);
    assert.match(store.logged[0]?.message ?? '', /`Status:` was not written/);
  });

  it('for want of disk is left out, and told in the log alone', async () => {
    files.before = ({ what, path }) => {
      if (what === 'write' && path.endsWith('.j')) throw systemError('ENOSPC');
    };
    await fetchInVain();
    await visit([0]);
    assert.deepEqual((await look()).texts, [withStatus(1, 'RO'), withStatus(2, 'U')]);
  });

  it('because another program has the mailbox does not spoil the session', async () => {
    await make({ lockTimeoutMs: 0 });
    await store.deliver('mrose', letters(1, 2));
    const maildrop = await store.open();
    await listingOf(maildrop);
    const python = await lockByFcntl(store.pathOf());
    await maildrop.close();
    await python.release();
    assert.match(store.logged.map(({ message }) => message).join('\n'), /`Status:` was not written/);
  });

  it('is what lies too far from the end of a large mailbox', async () => {
    await store.deliver('mrose', [large(1), large(2), Buffer.from(letter(3))]);
    await visit([0, 1, 2]);
    const statuses = (await store.content()).match(/^Status: .*$|^Subject: .*$/gm);
    const [first, ...others] = ['1', '2', '3'].map((number) => `Subject: message ${number}`);
    assert.deepEqual(statuses, [first, ...others.flatMap((subject) => [subject, 'Status: RO'])]);
  });
});

it('U5: a daemon that is killed at any step of it has written all or nothing, and every unique-id stays', async () => {
  const before = [letter(1), letter(1), letter(2)];
  const after = [withStatus(1, 'U'), withStatus(1, 'RO'), withStatus(2, 'U')];
  for (let step = 0; ; step += 1) {
    const mortal = new MortalFiles();
    await make({}, mortal.files);
    await store.deliver('mrose', letters(1, 1, 2));
    const { uids } = await look();
    const isWhole = await mortal.outlives(step, () => visit([1]));
    if (!isWhole) await store.die();
    await store.recover();
    const found = await look();
    assert.deepEqual(found.texts, isWhole || found.texts[0] !== letter(1) ? after : before, `step ${step}`);
    assert.deepEqual((await listed()).uids.toSorted(), uids.toSorted(), `step ${step}`);
    if (isWhole) return assert.ok(step > 10, `only ${step} steps`);
  }
});

describe('by default', () => {
  it('nothing is written', async () => {
    await make({ updateStatus: false });
    await store.deliver('mrose', letters(1, 2));
    const content = await store.content();
    await visit([0, 1]);
    assert.equal(await store.content(), content);
  });
});
