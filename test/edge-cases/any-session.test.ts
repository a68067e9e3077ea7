import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';
import { latin1, memoryHost, memoryMaildrop, TestServer } from 'popperd/testing';

import { cut } from '../mail-octets.ts';
import { login } from './support.ts';

const texts = ['a\r\n', 'bb\r\n', '.\r\n', 'dddd\r\n'];
const sizes = texts.map((text) => text.length);

/** What a session is, in its fewest words: which messages are marked, and what that makes of a command. */
class Model {
  readonly marked = new Set<number>();

  /** The lines that answer a command; undefined where only the status is foretold, and it is -ERR. */
  answer(command: string): readonly string[] | undefined {
    const [keyword = '', argument] = command.split(' ');
    if (argument !== undefined) return this.#answerOf(keyword, Number(argument));
    const left = this.#left();
    const total = left.reduce((sum, index) => sum + (sizes[index] ?? 0), 0);
    if (keyword === 'STAT') return [`+OK ${left.length} ${total}`];
    if (keyword === 'LIST') {
      return [
        `+OK ${left.length} ${left.length === 1 ? 'message' : 'messages'} (${total} octets)`,
        ...left.map((index) => `${index + 1} ${sizes[index]}`),
        '.',
      ];
    }
    if (keyword === 'NOOP') return ['+OK'];
    if (keyword !== 'RSET') return undefined;
    this.marked.clear();
    return ['+OK maildrop has 4 messages (16 octets)'];
  }

  /** The messages that are there after QUIT. */
  kept(): readonly string[] {
    return this.#left().map((index) => texts[index] ?? '');
  }

  #answerOf(keyword: string, number: number): readonly string[] | undefined {
    const size = this.marked.has(number - 1) ? undefined : sizes[number - 1];
    if (size === undefined) return undefined;
    if (keyword === 'LIST') return [`+OK ${number} ${size}`];
    if (keyword === 'UIDL') return [`+OK ${number} uid-${number}`];
    if (keyword === 'RETR') {
      const line = texts[number - 1]?.trimEnd() ?? '';
      return [`+OK ${size} octets`, line.startsWith('.') ? `.${line}` : line, '.'];
    }
    this.marked.add(number - 1);
    return [`+OK message ${number} deleted`];
  }

  #left(): readonly number[] {
    return [...texts.keys()].filter((index) => !this.marked.has(index));
  }
}

const command = fc.oneof(
  fc.constantFrom('STAT', 'LIST', 'NOOP', 'RSET', 'XYZ', ''),
  fc
    .tuple(fc.constantFrom('LIST', 'UIDL', 'RETR', 'DELE'), fc.integer({ min: 0, max: 5 }))
    .map((words) => words.join(' ')),
);

test('any session, in any segments, is answered as the model says, and deletes at QUIT and not before', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { maxLength: 30 }),
      fc.boolean(),
      fc.array(fc.nat({ max: 40 }), { maxLength: 20 }),
      async (commands, quits, lengths) => {
        const model = new Model();
        const maildrop = memoryMaildrop(texts);
        const server = new TestServer([memoryHost(maildrop)]);
        const lines = [...login, ...commands, ...(quits ? ['QUIT'] : [])];
        const said = await server.converse(cut(latin1(lines.map((line) => `${line}\r\n`).join('')), lengths));
        const wanted = commands.flatMap((line) => model.answer(line) ?? ['-ERR']);
        const heard = said.slice(3).map((line) => (line.startsWith('-ERR') ? '-ERR' : line));
        assert.deepEqual(heard, [...wanted, ...(quits ? ['+OK bye'] : [])]);
        assert.deepEqual(maildrop.kept(), quits ? model.kept() : texts);
        assert.equal(maildrop.closings, 1);
        assert.deepEqual(
          server.log.filter(({ level }) => level === 'error'),
          [],
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('any octets at all are answered with lines that begin with +OK or -ERR, and nobody is logged in', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 10 }), async (segments) => {
      const { said, reports } = await new TestServer([memoryHost(memoryMaildrop(texts))]).record(segments);
      for (const line of said) assert.match(line, /^(\+OK|-ERR)( [\x20-\x7e]*)?$/);
      assert.equal(reports[0]?.user, undefined);
    }),
    { numRuns: 300 },
  );
});
