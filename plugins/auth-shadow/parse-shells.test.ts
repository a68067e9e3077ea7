import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseShells } from './parse-shells.ts';

test('a shell is a path by itself, and neither a remark nor a part of one', () => {
  const text = '# /bin/false\n/bin/sh\n  /bin/bash \t# the usual one\n\nbash\n/bin/zsh\r\n';
  assert.deepEqual([...parseShells(text).shells], ['/bin/sh', '/bin/bash', '/bin/zsh']);
});
