import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { inspect } from 'node:util';

import { realFiles } from './commit/index.ts';
import { temporaryDropPathOf } from './temporary-drop.ts';
import { MboxUnderTest } from './testing/mbox-under-test.ts';
import { letter, session } from './testing/sessions.ts';
import { WatchedFiles } from './testing/watched-files.ts';

let store: MboxUnderTest;
let files: WatchedFiles;
let dropPath = '';
beforeEach(async () => {
  files = new WatchedFiles(realFiles);
  store = await MboxUnderTest.make({ takeOverTemporaryDrop: true, contentLength: true }, files);
  dropPath = temporaryDropPathOf(store.pathOf());
});
afterEach(() => store.dispose());

const envelope = MboxUnderTest.envelopeOf(0);
const body = 'body\n';
/** A message that says how long it is. */
const claiming = (octets: number): string =>
  `${envelope}Subject: odd\nContent-Length: ${String(octets).padStart(4, '0')}\n\n${body}\n`;
const left = [letter(1), letter(2)].map((text) => `${envelope}${text}\n`);
/** As if the first letter left were a part of it. */
const tooMuch = body.length + (left[0] ?? '').length;
const leave = (): Promise<void> => writeFile(dropPath, left.join(''), { mode: 0o600 });
const logged = (): string => inspect(store.logged, { depth: 4 });

describe("where the mailbox's last message claims what would come behind it", () => {
  it('nothing is added, however often the user logs in, and the operator is told', async () => {
    const odd = claiming(tooMuch).replace(envelope, 'From mrose 1992-03-08 10:00\n');
    for (const [content, count] of [
      [claiming(tooMuch), 1],
      [claiming(body.length) + odd, 2],
    ] as const) {
      await store.write(content);
      await leave();
      for (let login = 0; login < 2; login += 1) {
        const { texts } = await session(store);
        assert.equal(texts.length, count);
        assert.equal(await store.content(), content);
        assert.equal(await readFile(dropPath, 'latin1'), left.join(''));
      }
    }
    assert.match(logged(), /would not be the same at the end of the mailbox: add them by hand/);
  });

  it('no more than it has, all is added', async () => {
    for (const [content, count] of [
      [claiming(body.length), 3],
      [`${claiming(9999)}${claiming(body.length)}`, 4],
      [claiming(body.length).trimEnd(), 3],
      ['', 2],
    ] as const) {
      await store.write(content);
      await leave();
      const { texts } = await session(store);
      assert.equal(texts.length, count);
      assert.deepEqual(texts.slice(-2), [letter(1), letter(2)]);
      assert.equal(await readFile(dropPath, 'latin1'), '');
    }
  });
});

it('nobody may delete what was added and is not found again, since a program that knows no locks changed the mailbox', async () => {
  await store.write(claiming(body.length));
  await leave();
  files.before = async ({ what, path }) => {
    if (what !== 'write' || path !== store.pathOf()) return;
    files.before = () => {};
    await writeFile(path, claiming(tooMuch), { flag: 'r+' });
  };
  await assert.rejects(store.open(), { code: 'SYS/TEMP' });
  assert.equal(store.state.heldClaims, 0);
  assert.match(logged(), /would not be the same at the end of the mailbox/);
});
