import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';
import { countOctets } from 'popperd';

import { TextFile, scanText } from './testing/scanning.ts';

const envelope = 'From mrose@dbc.mtview.ca.us Sun Mar  8 10:00:00 1992\n';
const message = (number: number): string => `Subject: message ${number}\n\nThis is message ${number}.\n`;
const mailbox = (...texts: readonly string[]): string => texts.map((text) => `${envelope}${text}\n`).join('');

describe('B10: an mbox is split where its writers meant it to be', () => {
  const one = message(1);
  const two = message(2);
  const corpus: readonly { what: string; content: string; texts: readonly string[]; strayOctets?: number }[] =
    [
      { what: 'two messages', content: mailbox(one, two), texts: [one, two] },
      { what: 'nothing at all', content: '', texts: [] },
      { what: 'empty lines only', content: '\n\r\n\n', texts: [] },
      { what: 'no final newline', content: mailbox(one, two).slice(0, -2), texts: [one, two.slice(0, -1)] },
      { what: 'no empty line at the end', content: mailbox(one, two).slice(0, -1), texts: [one, two] },
      {
        what: 'a From line in a body after an empty line',
        content: mailbox(`${one}\nFrom here on it was easy.\n`, two),
        texts: [`${one}\nFrom here on it was easy.\n`, two],
      },
      {
        what: 'quoted From lines, which stay as they are stored',
        content: mailbox(`${one}\n>From mrose Sun Mar  8 10:00:00 1992\n>>From x\n`, two),
        texts: [`${one}\n>From mrose Sun Mar  8 10:00:00 1992\n>>From x\n`, two],
      },
      {
        what: 'no empty line before a From_ line, because the first message was cut off',
        content: `${envelope}${one}${envelope}${two}\n`,
        texts: [one, two],
      },
      {
        what: 'a From_ line quoted in the middle of a paragraph',
        content: mailbox(`Subject: a story\n\nthe log said\n${envelope}and nothing else\n`),
        texts: [`Subject: a story\n\nthe log said\n${envelope}and nothing else\n`],
      },
      {
        what: 'an odd date',
        content: `${mailbox(one)}From mrose 8 Mar 1992 10:00:00 +0000\n${two}\n`,
        texts: [one, two],
      },
      {
        what: 'no date at the start of the file',
        content: `From nobody\n${one}\n${mailbox(two)}`,
        texts: [one, two],
      },
      {
        what: 'a first line that is no From_ line',
        content: `rom mrose Sun Mar\n${one}\n${mailbox(two)}`,
        texts: [two],
        strayOctets: 17 + one.replaceAll('\n', '').length,
      },
      { what: 'leading NULs', content: '\0'.repeat(5000) + mailbox(one, two), texts: [one, two] },
      { what: 'leading empty lines', content: `\n\n${mailbox(one, two)}`, texts: [one, two] },
      {
        what: 'CRLF line ends',
        content: mailbox(one, two).replaceAll('\n', '\r\n'),
        texts: [one, two].map((text) => text.replaceAll('\n', '\r\n')),
      },
      { what: 'a message of 0 octets', content: `${envelope}\n${mailbox(two)}`, texts: ['', two] },
      { what: 'a message of one empty line', content: `${envelope}\n\n${mailbox(two)}`, texts: ['\n', two] },
      { what: 'a From_ line and nothing else', content: mailbox(one) + envelope, texts: [one, ''] },
      { what: 'a From_ line without its end', content: mailbox(one) + envelope.trimEnd(), texts: [one, ''] },
      {
        what: 'empty lines at the end of a message, of which only one is the separator',
        content: mailbox(`${one}\n\n`, two),
        texts: [`${one}\n\n`, two],
      },
      { what: 'only a header', content: mailbox('Subject: short\n', two), texts: ['Subject: short\n', two] },
    ];

  for (const { what, content, texts, strayOctets = 0 } of corpus) {
    it(what, async () => {
      for (const sliceOctets of [1, 3, 64, 1 << 20]) {
        const scanned = await scanText(content, { sliceOctets });
        assert.deepEqual(scanned.texts, texts);
        assert.equal(scanned.strayOctets, strayOctets);
        assert.equal(scanned.end, content.length);
      }
    });
  }

  it('a From_ line longer than an envelope can be is text', async () => {
    const long = `From ${'x'.repeat(1000)} Sun Mar  8 10:00:00 1992\n`;
    const { texts } = await scanText(`${mailbox(one)}${long}X: y\n\n`);
    assert.deepEqual(texts, [`${one}\n${long}X: y\n`]);
  });
});

describe('Content-Length is believed only where it leads to a message or the end', () => {
  const inner = `Subject: inner\n\ncounted, too\n`;
  const body = `first\n\n${envelope}${inner}`;
  const counted = (octets: number): string => `Subject: outer\nContent-Length: ${octets}\n\n${body}`;

  it('a right one keeps a forwarded mbox in one piece', async () => {
    const content = mailbox(counted(body.length), message(2));
    assert.deepEqual((await scanText(content, { contentLength: true })).texts, [
      counted(body.length),
      message(2),
    ]);
  });

  it('a right one at the end of the mailbox does, too', async () => {
    const content = mailbox(message(1), counted(body.length));
    assert.equal((await scanText(content, { contentLength: true })).texts.length, 2);
  });

  for (const octets of [0, body.length - 2, body.length + 3, 1e14]) {
    it(`one that says ${octets} of ${body.length} is a lie, and every From_ line counts`, async () => {
      const content = mailbox(counted(octets), message(2));
      const { texts } = await scanText(content, { contentLength: true });
      assert.deepEqual(texts, [
        counted(octets).slice(0, -envelope.length - inner.length - 1),
        inner,
        message(2),
      ]);
    });
  }

  it('one that leaves out the last line end leads there, too', async () => {
    const content = mailbox(counted(body.length - 1), message(2));
    assert.equal((await scanText(content, { contentLength: true })).texts.length, 2);
  });

  it('nobody is asked about it if the operator did not ask', async () => {
    assert.equal((await scanText(mailbox(counted(body.length), message(2)))).texts.length, 3);
  });
});

const asLines = (drawn: string): string => (drawn === '' || drawn.endsWith('\n') ? drawn : `${drawn}\n`);

describe('what a scan promises, whatever is in the mail', () => {
  const line = fc.oneof(
    fc.string({
      maxLength: 30,
      unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    }),
    fc.constantFrom(
      '',
      '',
      '>From x',
      'From',
      'Status: O',
      'Content-Length: 10',
      ' folded',
      '.',
      '\r',
      'X-UID: 1',
    ),
  );
  const lineEnd = fc.constantFrom('\n', '\n', '\n', '\r\n');
  const text = fc
    .array(fc.tuple(line, lineEnd), { maxLength: 12 })
    .map((lines) => lines.map((parts) => parts.join('')).join(''))
    .map((drawn) => drawn.replaceAll(/^From /gm, '>From '));

  it('as many messages are found as were delivered, each octet for octet', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 8 }), async (drawn) => {
        const texts = drawn.map(asLines);
        assert.deepEqual((await scanText(mailbox(...texts))).texts, texts);
      }),
      { numRuns: 300 },
    );
  });

  it('any slices give the same messages, digests and octets', async () => {
    const slices = fc.integer({ min: 1, max: 40 });
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 6 }), slices, async (texts, sliceOctets) => {
        const content = mailbox(...texts);
        const [whole, sliced] = [await scanText(content), await scanText(content, { sliceOctets })];
        assert.deepEqual(sliced.messages, whole.messages);
      }),
      { numRuns: 200 },
    );
  });

  it('octets are those that RETR sends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 6 }), fc.nat(3), async (texts, cutOctets) => {
        const content = mailbox(...texts);
        const { messages, texts: found } = await scanText(content.slice(0, content.length - cutOctets));
        for (const [index, { octets }] of messages.entries()) {
          const sent = [Buffer.from(found[index] ?? '', 'latin1')];
          assert.equal(octets, await countOctets(asyncOf(sent)));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('messages lie side by side: each begins where the one before ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 6 }), async (texts) => {
        const content = mailbox(...texts);
        let position = 0;
        for (const found of (await scanText(content)).messages) {
          assert.equal(found.offset, position);
          position += found.envelopeOctets + found.contentOctets + found.separatorOctets;
        }
        assert.equal(position, content.length);
      }),
      { numRuns: 200 },
    );
  });
});

it('B9: a message of many windows has the same digest as in one piece, and memory stays bounded', async () => {
  const sliceOctets = 64 * 1024;
  const body = `${'0123456789abcde\r\n'.repeat(50)}a line\n\n`.repeat(4000);
  for (const field of ['', 'Status: O\n']) {
    const large = `Subject: large\n${field}\n${body}`;
    const content = mailbox(message(1), large, message(3));
    const [whole, sliced] = [
      await scanText(content, { sliceOctets: content.length }),
      await scanText(content, { sliceOctets }),
    ];
    assert.ok(large.length > 3 * 1024 * 1024);
    assert.deepEqual(sliced.messages, whole.messages);
    assert.deepEqual(sliced.texts, [message(1), large, message(3)]);
  }
});

it('B11: the notes of UW programs are known, at the start of a mailbox only', async () => {
  const notes =
    "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 2\n\nThis text is...\n";
  const { messages } = await scanText(mailbox(notes, message(1), notes));
  assert.deepEqual(
    messages.map((found) => found.isFolderInternalData),
    [true, false, false],
  );
});

it('a scan of a file that has become shorter says where it ended', async () => {
  const content = mailbox(message(1));
  const file = new TextFile(content);
  assert.equal((await scanText(content, { file, to: content.length + 100 })).end, content.length);
});

async function* asyncOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
