import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { canAppend, type Maildrop, type NewMessage } from 'popperd';

import { realFiles } from './commit/index.ts';
import { composeMessage } from './new-message.ts';
import { MboxUnderTest } from './testing/mbox-under-test.ts';
import { lockByFcntl } from './testing/other-programs.ts';
import { letter, letters, listingOf, session } from './testing/sessions.ts';
import { systemError, WatchedFiles } from './testing/watched-files.ts';

let store: MboxUnderTest;
let files: WatchedFiles;
beforeEach(async () => {
  files = new WatchedFiles(realFiles);
  store = await MboxUnderTest.make({ lockTimeoutMs: 200 }, files);
});
afterEach(() => store.dispose());

const news = (
  key: string,
  text = 'Subject: news\nDate: Sun, 8 Mar 1992 10:00:00 +0000\n\nhello\n',
): NewMessage => ({
  key,
  octets: Buffer.from(text, 'latin1'),
});

async function append(maildrop: Maildrop, ...messages: readonly NewMessage[]): Promise<Maildrop> {
  assert.ok(canAppend(maildrop));
  return maildrop.append(messages);
}

async function appending(...messages: readonly NewMessage[]): Promise<readonly string[]> {
  const maildrop = await append(await store.open(), ...messages);
  try {
    return (await listingOf(maildrop)).texts;
  } finally {
    await maildrop.close();
  }
}

describe('messages that the daemon adds', () => {
  it('come last in the drop that replaces the session’s, and stay', async () => {
    await store.deliver('mrose', letters(1, 2));
    const texts = await appending(news('7'), news('8', 'Subject: more\n\nhello again'));
    const added = [
      'X-Popper-Key: 7\nSubject: news\nDate: Sun, 8 Mar 1992 10:00:00 +0000\n\nhello\n',
      'X-Popper-Key: 8\nSubject: more\n\nhello again\n',
    ];
    assert.deepEqual(texts, [letter(1), letter(2), ...added]);
    assert.deepEqual((await session(store)).texts, texts);
    assert.equal(store.state.heldClaims, 0);
    const envelopes = (await store.content()).match(/^From popper .*$/gm);
    assert.deepEqual(envelopes, [
      'From popper Sun Mar  8 10:00:00 1992',
      'From popper Thu Jan  1 00:00:00 1970',
    ]);
  });

  it('are added to a user who has no mailbox yet', async () => {
    assert.equal((await appending(news('7'))).length, 1);
    assert.equal((await realFiles.lstat(store.pathOf()))?.mode, 0o600);
  });

  it('are added once, however often they are given', async () => {
    await appending(news('7'));
    assert.equal((await appending(news('7'))).length, 1);
    await store.restart();
    assert.equal((await appending(news('7'), news('8'))).length, 2);
    assert.equal((await appending(news('8'), news('7'), news('9'))).length, 3);
  });

  it('are separate from mail that lacks its last line end, or its empty line', async () => {
    for (const content of [
      `${MboxUnderTest.envelopeOf(0)}${letter(1)}`,
      MboxUnderTest.envelopeOf(0).trimEnd(),
    ]) {
      for (const cutOctets of [0, 1]) {
        await store.write(content.slice(0, content.length - cutOctets));
        assert.equal((await appending(news('7'))).length, 2);
      }
    }
  });

  it('leave the session’s own messages their numbers and uids, with mail that came meanwhile behind them', async () => {
    await store.deliver('mrose', letters(1));
    const { uids } = await session(store);
    const maildrop = await store.open();
    await store.deliver('mrose', letters(2));
    const next = await append(maildrop, news('7'));
    await maildrop.close();
    const listing = await listingOf(next);
    assert.deepEqual(listing.uids.slice(0, 1), uids);
    assert.equal(listing.texts.length, 3);
    await next.commit(new Set([0, 2]));
    await next.close();
    assert.deepEqual((await session(store)).texts, [letter(2)]);
  });

  it('are none of them there if it cannot be done', async () => {
    await store.deliver('mrose', letters(1));
    const content = await store.content();
    const maildrop = await store.open();
    const python = await lockByFcntl(store.pathOf());
    await assert.rejects(append(maildrop, news('7')), { code: 'SYS/TEMP' });
    await python.release();
    files.before = ({ what, path }) => {
      if (what === 'write' && path.endsWith('.j')) throw systemError('ENOSPC');
    };
    await assert.rejects(append(maildrop, news('7')), { code: 'SYS/TEMP' });
    files.before = () => {};
    assert.equal(await store.content(), content);
    assert.deepEqual(await readdir(store.folder), ['mrose']);
    assert.equal((await listingOf(maildrop)).texts.length, 1);
    await maildrop.close();
  });

  it('cannot be added where the spool lets nobody make a mailbox', async () => {
    files.before = ({ what, path }) => {
      if (what === 'open' && path === store.pathOf()) throw systemError('EACCES');
    };
    files.lstat = async () => undefined;
    const maildrop = await store.open();
    await assert.rejects(append(maildrop, news('7')), { code: 'SYS/PERM' });
    await maildrop.close();
  });

  it('do not replace a mailbox that is delivered to just now', async () => {
    let delivered = false;
    files.before = async ({ what, path }) => {
      if (what !== 'open' || path !== store.pathOf() || delivered) return;
      delivered = true;
      await realFiles.lstat(path);
      await writeFile(path, `${MboxUnderTest.envelopeOf(0)}${letter(1)}\n`, { flag: 'ax', mode: 0o600 });
    };
    assert.equal((await appending(news('7'))).length, 2);
  });
});

const textOf = (octets: string, key = 'k'): string =>
  composeMessage(news(key, octets)).text.toString('latin1');

describe('a message is composed so that an mbox can hold it', () => {
  it('From_ lines of its body are quoted, and quoted ones once more', () => {
    assert.equal(
      textOf('A: b\n\nFrom x\n>From y\n>>From z\n'),
      'X-Popper-Key: k\nA: b\n\n>From x\n>>From y\n>>>From z\n',
    );
    assert.equal(textOf('\nFrom x\n'), 'X-Popper-Key: k\n\n>From x\n');
  });

  it('line ends become LF, a missing last one is added, all else stays', () => {
    assert.equal(textOf('A: b\r\n\r\n\xe9\0\r x'), 'X-Popper-Key: k\nA: b\n\n\xe9\0\r x\n');
    assert.equal(textOf(''), 'X-Popper-Key: k\n');
  });

  it('a key cannot add header fields', () => {
    assert.equal(textOf('\n', 'a\r\nBcc: x'), 'X-Popper-Key: a??Bcc: x\n\n');
  });

  it('its date is that of its Date: field, or 1970', () => {
    for (const [date, envelope] of [
      ['Date: Sun, 8 Mar 1992 10:00:00 -0800', 'Sun Mar  8 18:00:00 1992'],
      ['DATE: Sun,\n\t18 Mar 2012 10:00:00 +0000', 'Sun Mar 18 10:00:00 2012'],
      ['Date: yesterday', 'Thu Jan  1 00:00:00 1970'],
      ['Date: 1 Jan 1960 00:00:00 +0000', 'Thu Jan  1 00:00:00 1970'],
      ['Date: +012345-01-01T00:00:00Z', 'Thu Jan  1 00:00:00 1970'],
      ['X: y', 'Thu Jan  1 00:00:00 1970'],
    ] as const) {
      const composed = composeMessage(news('k', `${date}\n\nbody\n`));
      assert.equal(composed.envelope.toString(), `From popper ${envelope}\n`);
    }
  });
});
