import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const program = join(import.meta.dirname, 'run.mjs');

test('a quick bench gets right replies only, and a figure in each cell of its table', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--quick'], { timeout: 300_000 });
  const [head = [], , ...rows] = stdout.trim().split('\n').map(cellsOf);
  assert.equal(head[2], 'popper');
  assert.equal(rows.length, 40);
  for (const row of rows) {
    assert.equal(row.length, head.length);
    // What thirty sessions add to memory is less than what comes and goes besides, so that may be less than nothing.
    for (const cell of row.slice(2)) assert.match(cell, /^(-|-?\d+(\.\d+)?)$/, row.join(' | '));
    assert.notEqual(row[2], '-', row.join(' | '));
  }
});

const cellsOf = (line: string): string[] => line.slice(2, -2).split(' | ');
