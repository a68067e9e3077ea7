import assert from 'node:assert/strict';
import { chmod, link, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { inspect } from 'node:util';

import * as fc from 'fast-check';

import { realFiles } from './commit/index.ts';
import type { Options } from './options.ts';
import { temporaryDropPathOf } from './temporary-drop.ts';
import { MboxUnderTest } from './testing/mbox-under-test.ts';
import { MortalFiles } from './testing/mortal-files.ts';
import { lockByFcntl, lockByFlock } from './testing/other-programs.ts';
import { letter, letters, session } from './testing/sessions.ts';
import { systemError, WatchedFiles } from './testing/watched-files.ts';

let store: MboxUnderTest;
let files: WatchedFiles;
let dropPath = '';
async function make(settings: Partial<Options> = {}, under = realFiles): Promise<void> {
  await store?.dispose();
  files = new WatchedFiles(under);
  store = await MboxUnderTest.make({ takeOverTemporaryDrop: true, ...settings }, files);
  dropPath = temporaryDropPathOf(store.pathOf());
}
beforeEach(() => make());
afterEach(() => store.dispose());

const envelope = MboxUnderTest.envelopeOf(0);
const mailbox = (...texts: readonly string[]): string => texts.map((text) => `${envelope}${text}\n`).join('');
const leave = (content: string): Promise<void> =>
  writeFile(dropPath, content, { encoding: 'latin1', mode: 0o600 });
const drop = (): Promise<string> => readFile(dropPath, 'latin1');
const large = (number: number): string => letter(number, `${'x'.repeat(1023)}\n`.repeat(9000));
const logged = (): string =>
  store.logged.map(({ message, fields }) => `${message} ${inspect(fields['error'])}`).join('\n');
const texts = async (): Promise<readonly string[]> => (await session(store)).texts;

describe('mail that a killed classic popper left in its temporary drop', () => {
  it('is in the mailbox at the next login, behind what has come since, and nowhere else', async () => {
    await store.deliver('mrose', letters(3));
    await leave(mailbox(letter(1), letter(2)));
    assert.deepEqual(await texts(), [letter(3), letter(1), letter(2)]);
    assert.equal(await drop(), '');
    assert.equal(await store.content(), mailbox(letter(3), letter(1), letter(2)));
    assert.deepEqual(await texts(), [letter(3), letter(1), letter(2)]);
    assert.equal(store.state.heldClaims, 0);
  });

  it('is there though there is no mailbox any more, or an empty one', async () => {
    await leave(mailbox(letter(1)));
    assert.deepEqual(await texts(), [letter(1)]);
    await store.write('');
    await leave(mailbox(letter(2)));
    assert.deepEqual(await texts(), [letter(2)]);
  });

  it('is a message of its own where either file lacks its last line end', async () => {
    await store.write(mailbox(letter(1)).trimEnd());
    await leave(mailbox(letter(2)).trimEnd());
    assert.deepEqual(await texts(), [letter(1), letter(2)]);
  });

  it('stays there by default', async () => {
    await make({ takeOverTemporaryDrop: false });
    await leave(mailbox(letter(1)));
    assert.deepEqual(await texts(), []);
    assert.equal(await drop(), mailbox(letter(1)));
  });

  it('may be more than is added at once', async () => {
    await leave(mailbox(large(1), large(2), large(3), letter(4)));
    await session(store, async (maildrop) => assert.equal(maildrop.count, 4));
    assert.equal(await store.content(), mailbox(large(1), large(2), large(3), letter(4)));
    assert.equal(await drop(), '');
  });
});

describe('the drop is emptied', () => {
  it('only when the mailbox is on the disk, its name too, whoever had put the mail there', async () => {
    await store.write(mailbox(letter(1)));
    for (const text of [letter(1), letter(2)]) {
      await leave(mailbox(text));
      files.forget();
      await texts();
      const calls = files.calls.map(({ what, path }) => `${what} ${path}`);
      const emptied = calls.indexOf(`truncate ${dropPath}`);
      const synced = [`sync ${store.pathOf()}`, `syncFolder ${store.folder}`].map((call) =>
        calls.indexOf(call),
      );
      for (const index of synced) assert.ok(index !== -1 && index < emptied, calls.join('\n'));
      assert.ok(calls.indexOf(`sync ${dropPath}`) > emptied);
    }
  });
});

describe('nothing is doubled', () => {
  it('where the classic popper died after it had copied the mailbox, and before it emptied it', async () => {
    const content = mailbox(letter(1), letter(1), letter(2));
    await store.write(content);
    await leave(mailbox(letter(0)) + content);
    assert.deepEqual(await texts(), [letter(1), letter(1), letter(2), letter(0)]);
  });

  it('wherever it died while it copied', async () => {
    const content = mailbox(letter(1), letter(2));
    for (const copied of [
      5,
      20,
      envelope.length + 3,
      mailbox(letter(1)).length,
      mailbox(letter(1)).length + 9,
    ]) {
      await make();
      await store.write(content);
      await leave(mailbox(letter(0)) + content.slice(0, copied));
      assert.deepEqual(await texts(), [letter(1), letter(2), letter(0)], `after ${copied} octets`);
      assert.equal(await drop(), '');
    }
  });

  it('where it died while it wrote back what it had kept, with `Status:` and `X-UIDL:`', async () => {
    await store.write(mailbox(letter(1).replace('\n\n', '\nStatus: RO\nX-UIDL: abc\n\n')));
    await leave(mailbox(letter(1), letter(2)));
    assert.deepEqual((await texts()).length, 2);
  });

  it('but equal messages are all there', async () => {
    await store.deliver('mrose', letters(1, 9));
    await leave(mailbox(letter(2), letter(1), letter(1)));
    assert.deepEqual(await texts(), [letter(1), letter(9), letter(2), letter(1)]);
  });
});

/** The mailbox is served as if there were no temporary drop. */
async function left(content: string): Promise<void> {
  await store.deliver('mrose', letters(3));
  assert.deepEqual(await texts(), [letter(3)]);
  assert.equal(await drop(), content);
}

describe('a temporary drop is left alone', () => {
  it('while a classic popper has it locked, in either way', async () => {
    const content = mailbox(letter(1));
    await leave(content);
    for (const lock of [lockByFcntl, lockByFlock]) {
      const holder = await lock(dropPath);
      await store.write('');
      await left(content);
      await holder.release();
    }
    assert.deepEqual(await texts(), [letter(3), letter(1)]);
  });

  it('where its classic popper ends at that very moment, takes it away, and is done with that mail', async () => {
    await store.deliver('mrose', letters(3));
    await leave(mailbox(letter(1)));
    let looks = 0;
    files.before = async ({ what, path }) => {
      if (what === 'stat' && path === dropPath && (looks += 1) === 2) await rm(dropPath);
    };
    assert.deepEqual(await texts(), [letter(3)]);
    assert.equal(looks, 2);
  });

  it('where it is a link, has several names, or everybody may write to it, which the operator is told', async () => {
    const content = mailbox(letter(1));
    const elsewhere = join(store.folder, 'elsewhere');
    await writeFile(elsewhere, content, { mode: 0o600 });
    await symlink(elsewhere, dropPath);
    await left(content);
    await rm(dropPath);
    await link(elsewhere, dropPath);
    await store.write('');
    await left(content);
    assert.match(logged(), /has 2 names/);
    await rm(elsewhere);
    await chmod(dropPath, 0o602);
    await store.write('');
    await left(content);
    assert.match(logged(), /everybody may write to it/);
  });

  it('where it is no mbox, or begins with what is a From_ line only there', async () => {
    for (const content of [
      'half a message\n',
      'From x\nnot a header\n\nbody\n',
      `half\n\n${mailbox(letter(1))}`,
    ]) {
      await make();
      await leave(content);
      await left(content);
      assert.match(logged(), /does not begin with a message's From_ line/);
    }
  });

  it('where the disk is full, until there is room', async () => {
    const content = mailbox(letter(1));
    await leave(content);
    files.before = ({ what, path }) => {
      if (what === 'write' && path.endsWith('.j')) throw systemError('ENOSPC');
    };
    await left(content);
    assert.match(logged(), /cannot be taken over/);
    files.before = () => {};
    assert.deepEqual(await texts(), [letter(3), letter(1)]);
  });

  it('where another program writes to it meanwhile, and then nothing is lost or doubled', async () => {
    await leave(mailbox(letter(1)));
    files.before = async ({ what, path }) => {
      if (what === 'truncate' || path !== store.pathOf() || what !== 'dataSync') return;
      files.before = () => {};
      await writeFile(dropPath, mailbox(letter(2)), { flag: 'a' });
    };
    assert.deepEqual(await texts(), [letter(1)]);
    assert.deepEqual(await texts(), [letter(1), letter(2)]);
    assert.equal(await drop(), '');
  });
});

it('U5: a daemon that is killed at any step of the taking over loses and doubles nothing', async () => {
  const all = mailbox(letter(1), letter(2), letter(3), letter(3));
  for (let step = 0; ; step += 1) {
    const isWhole = await takeOverAndDie(step);
    const inDrop = await drop();
    assert.ok(inDrop !== '' || (await store.content()) === all, `step ${step}: neither here nor there`);
    assert.deepEqual(
      await texts(),
      [1, 2, 3, 3].map((number) => letter(number)),
    );
    assert.equal(await store.content(), all, `step ${step}`);
    assert.equal(await drop(), '', `step ${step}`);
    if (isWhole) return assert.ok(step > 15, `only ${step} steps`);
  }
});

/** Whether it came to its end before that step. */
async function takeOverAndDie(step: number): Promise<boolean> {
  const mortal = new MortalFiles();
  await make({}, mortal.files);
  await store.write(mailbox(letter(1), letter(2)));
  await leave(mailbox(letter(3), letter(3)));
  const isWhole = await mortal.outlives(step, async () => (await store.open()).close());
  if (!isWhole) await store.die();
  return isWhole;
}

it('any mail in any two files is in one afterwards', async () => {
  const message = fc.constantFrom(
    '',
    '\n',
    'H: 1\n',
    letter(1),
    letter(2),
    'x\r\n\r\ny\r\n',
    '>From x\n\n\n',
  );
  const mail = fc.array(message, { maxLength: 6 });
  // Those look like others that were cut off.
  const mailInDrop = fc.array(
    message.filter((text) => text.length > 1),
    { maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(mail, mailInDrop, fc.boolean(), async (there, inDrop, isCut) => {
      await make();
      await store.write(mailbox(...there));
      const content = mailbox(...inDrop);
      const last = inDrop.at(-1) ?? '\n';
      // Else it would be another message, or one that is known to have been cut off.
      const mayBeCut = !/(?:^|\n)\n$/.test(last) && !there.includes(last);
      await leave(isCut && mayBeCut ? content.slice(0, -1) : content);
      const all = await texts();
      assert.deepEqual(all.slice(0, there.length), there);
      assert.equal(await drop(), '');
      for (const text of new Set([...there, ...inDrop])) {
        const countIn = (of: readonly string[]): number => of.filter((one) => one === text).length;
        assert.equal(countIn(all), Math.max(countIn(there), countIn(inDrop)), JSON.stringify(text));
      }
    }),
    { numRuns: 60 },
  );
});
