import { deepStrictEqual as deepEqual, ok } from 'node:assert/strict';
import { test } from 'node:test';

import { tableOf } from './table.ts';

const columns = [
  { name: 'USER', align: 'left' },
  { name: 'RETR', align: 'right' },
] as const;

test('columns stand below each other, numbers on the right, and what is not there is a dash', () => {
  deepEqual(
    tableOf(columns, [
      ['alice', '7'],
      ['', '12345'],
    ]),
    ['USER    RETR', 'alice      7', '-      12345'],
  );
});

test('a cell cannot reach the terminal, start a line of its own or push the others away', () => {
  const [, ...lines] = tableOf(columns, [
    ['\u001b[2J\nroot', '1'],
    ['x'.repeat(1000), '2'],
  ]);
  deepEqual(lines.length, 2);
  ok(lines[0]?.startsWith('\\u{1b}[2J\\nroot '));
  ok(lines.every((line) => line.length < 80 && /^[ -~]*$/.test(line)));
});
