import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const program = join(import.meta.dirname, 'run.mjs');

test('a quick bench gets right replies only, and a figure in each cell of its table', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--quick'], { timeout: 120_000 });
  const [head = [], , ...rows] = stdout.trim().split('\n').map(cellsOf);
  assert.equal(head[2], 'popper');
  assert.equal(rows.length, 29);
  for (const row of rows) {
    assert.equal(row.length, head.length);
    // Too little work for the kernel's clock is no time at all, and nothing is so many times better than that.
    for (const cell of row.slice(2))
      assert.match(cell, /^(-?\d+(\.\d+)?|x -|x -?\d+(\.\d+)?)$/, row.join(' | '));
  }
});

const cellsOf = (line: string): string[] => line.slice(2, -2).split(' | ');
