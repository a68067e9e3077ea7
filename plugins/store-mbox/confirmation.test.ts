import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { sha256 } from './canonical.ts';
import { areAsIndexed } from './confirmation.ts';
import { Rows, RowsBuilder } from './rows.ts';
import { scanText, TextFile } from './testing/scanning.ts';

const envelope = 'From mrose@dbc.mtview.ca.us Sun Mar  8 10:00:00 1992\n';
const mailbox = (...texts: readonly string[]): string => texts.map((text) => `${envelope}${text}\n`).join('');
const large = (letter: string): string => `Subject: large\n\n${`${letter.repeat(1023)}\n`.repeat(1100)}`;

async function rowsOf(content: string): Promise<Rows> {
  const builder = new RowsBuilder();
  for (const message of (await scanText(content)).messages) {
    const digest = sha256(message.canonical);
    builder.add({ ...message, digest, uid: digest.subarray(0, 16) });
  }
  return builder.build();
}

/** Whether these messages are taken for what they were, in a mailbox that holds `now`. */
const check = (rows: Rows, now: string, ...indexes: readonly number[]): Promise<boolean> => {
  const file = new TextFile(now);
  return areAsIndexed(new Set(indexes), {
    file,
    rows,
    mailboxOctets: now.length,
    contentLength: false,
  });
};

const text = fc.constantFrom('A: 1\n\nx\n', 'A: 2\n\n', 'A: 3\n\nx\r\ny\r\n', '\n', 'A: 4\n\n\n\nz\n');
const drop = fc.record({
  texts: fc.array(text, { minLength: 1, maxLength: 6 }),
  index: fc.nat(),
  position: fc.nat(),
  octet: fc.constantFrom('\n', '\r', ' ', 'F', '>', 'x', '\0', '\xff'),
});

describe('a message that is to be deleted', () => {
  it('is not taken for what it was with any octet changed, nor one of the line behind it', async () => {
    await fc.assert(
      fc.asyncProperty(drop, async ({ texts, index: drawn, position: at, octet }) => {
        const content = mailbox(...texts);
        const rows = await rowsOf(content);
        const index = drawn % rows.count;
        assert.ok(await check(rows, content, index));
        const start = rows.offsetOf(index);
        const end = Math.min(rows.endOf(index) + 'From '.length, content.length);
        const position = start + (at % (end - start));
        const edited = `${content.slice(0, position)}${octet}${content.slice(position + 1)}`;
        // Line ends are the same in either form; no other edit is.
        if (edited.replaceAll('\r\n', '\n') === content.replaceAll('\r\n', '\n')) return;
        assert.equal(await check(rows, edited, index), false);
      }),
      { numRuns: 1000 },
    );
  });

  it('is what it was, whatever became of the others', async () => {
    const content = mailbox('A: 1\n\nx\n', 'A: 2\n\ny\n', 'A: 3\n\nz\n');
    const rows = await rowsOf(content);
    assert.ok(await check(rows, content.replace('y', 'Y'), 0, 2));
    assert.ok(!(await check(rows, content.replace('y', 'Y'), 0, 1)));
  });

  it('is known though a mail program wrote a `Status:` over another that was as long', async () => {
    const content = mailbox('A: 1\nStatus: O\n\nx\n', 'A: 2\n\ny\n');
    const rows = await rowsOf(content);
    assert.ok(await check(rows, content.replace('Status: O', 'Status: R'), 0, 1));
  });

  it('is not there where the mailbox ends before it does', async () => {
    const content = mailbox('A: 1\n\nx\n', 'A: 2\n\ny\n');
    const rows = await rowsOf(content);
    assert.ok(!(await check(rows, content.slice(0, -1), 1)));
    assert.ok(!(await check(rows, content.slice(0, rows.endOf(0)), 0, 1)));
  });

  it('may be larger than what is read at once, and so may all of them', async () => {
    const content = mailbox('A: 1\n\nx\n', large('a'), 'A: 2\n\ny\n', large('b'), 'A: 3\n\nz\n');
    const rows = await rowsOf(content);
    assert.ok(await check(rows, content, 0, 1, 2, 3, 4));
    assert.ok(await check(rows, content, 0, 2, 4));
    for (const edited of [content.replace('aaaa\n', 'aaba\n'), content.replace('bbbb\n', 'bbbc\n')]) {
      assert.ok(!(await check(rows, edited, 0, 1, 2, 3, 4)));
      assert.ok(await check(rows, edited, 0, 2, 4));
    }
    const cut = content.slice(0, rows.endOf(1));
    assert.ok(await check(rows, cut, 1));
    assert.ok(!(await check(rows, `${cut}x`, 1)));
  });
});
