import assert from 'node:assert/strict';
import { test } from 'node:test';

import { converse, memoryHost, memoryMaildrop } from 'popperd/testing';

import help from './index.ts';

const host = () => memoryHost(memoryMaildrop([]));

test('whoever calls for help is told something, before the login and after it', async () => {
  const said = await converse([host(), help()], ['help', 'USER mrose', 'PASS secret', 'HELP']);
  const [, before, ...rest] = said;
  assert.equal(before, '+OK help follows');
  const answer = said.slice(1, rest.indexOf('.') + 3);
  assert.ok(answer.length > 3);
  assert.deepEqual(said.slice(-answer.length), answer);
});

test('an operator says what users are told', async () => {
  const lines = ['Ring 1234.', '', '.and no dot ends it'];
  const said = await converse([host(), help({ lines })], ['HELP', 'HELP me', 'NOOP']);
  assert.deepEqual(said.slice(1, 6), ['+OK help follows', 'Ring 1234.', '', '..and no dot ends it', '.']);
  assert.equal(said[6], '-ERR usage: HELP');
});

const problemOf = (lines: readonly string[]): string | undefined =>
  help({ lines: [...lines] }).problems[0]?.message;

test('help that could not be sent as it is written is refused with what was expected', () => {
  assert.match(problemOf(['Grüße']) ?? '', /expected a line of at most 510 printable ASCII characters/);
  assert.match(problemOf(['a\nb']) ?? '', /expected a line of at most 510/);
  assert.match(problemOf(['x'.repeat(511)]) ?? '', /expected a line of at most 510/);
  assert.match(problemOf([]) ?? '', /expected one line or more/);
  assert.equal(problemOf(['x'.repeat(510)]), undefined);
});
