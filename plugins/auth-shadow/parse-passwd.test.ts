import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { parsePasswd } from './parse-passwd.ts';

const ann = { user: 'ann', uid: 1000, gid: 1001, home: '/home/ann', shell: '/bin/bash', isShadowed: true };
const annsLine = 'ann:x:1000:1001:Ann,,,:/home/ann:/bin/bash';

test('the lines that stand for users of NIS make nobody a user, least of all root', async () => {
  const lines = [
    '+::0:0:::',
    '+:x:0:0::/root:/bin/sh',
    '+ann:x:0:0::/:',
    '+@staff::0:0:::',
    '-eve:x:0:0::/:',
    '+',
  ];
  const { byUser, problems } = await parsePasswd([...lines, annsLine].join('\n'));
  assert.deepEqual([...byUser.values()], [ann]);
  assert.deepEqual(problems, []);
});

const unusable: readonly (readonly [line: string, says: RegExp])[] = [
  ['bob', /1 fields, and 7/],
  ['bob:x:1000:1000::/home/bob', /6 fields/],
  ['bob:x:1000:1000::/home/bob:/bin/sh:0', /8 fields/],
  ['bob:x::1000::/home/bob:', /bob: uid and gid/],
  ['bob:x:-1:1000::/home/bob:', /bob: uid and gid/],
  ['bob:x:0x0:1000::/home/bob:', /bob: uid and gid/],
  ['bob:x:4294967295:1000::/home/bob:', /bob: uid and gid/],
  ['bob:x:4294968296:1000::/home/bob:', /bob: uid and gid/],
  ['bob:x:1000: 1::/home/bob:', /bob: uid and gid/],
  ['bob:x:1000:1000:::', /bob: home/],
  ['bob:x:1000:1000::home/bob:', /bob: home/],
  ['bob:x:1000:1000::/home/../root:', /bob: home/],
  ['bob:x:1000:1000::/home/b\0:', /bob: home/],
  [`bob:x:1000:1000:${'x'.repeat(5000)}:/home/bob:`, /longer than 4096/],
];

test('a line that is not what passwd(5) says makes nobody a user, and is reported by its number', async () => {
  for (const [line, says] of unusable) {
    const { byUser, problems } = await parsePasswd(`${line}\n${annsLine}\n`);
    assert.deepEqual([...byUser.keys()], ['ann'], line);
    assert.equal(problems[0]?.lineNumber, 1);
    assert.match(problems[0].reason, says);
    assert.equal(problems.length, 1);
  }
});

test('of two lines for one user the first counts, as it does for the system', async () => {
  const { byUser, problems } = await parsePasswd(`${annsLine}\nann:x:0:0::/root:/bin/sh\n`);
  assert.deepEqual(byUser.get('ann'), ann);
  assert.match(problems[0]?.reason ?? '', /^ann has a line above/);
});

test('names that no client may ask for are passed over, and are no fault of the file', async () => {
  const { byUser, problems } = await parsePasswd(
    `# users\n\nmachine$:x:900:900::/:\n:x:0:0::/:\na b:x:0:0::/:\n../x:x:0:0::/:\n${annsLine}`,
  );
  assert.deepEqual([...byUser.keys()], ['ann']);
  assert.deepEqual(problems, []);
});

test('a user is known by what the line says: home in UTF-8, no shell as /bin/sh, a hash elsewhere or not', async () => {
  const text = Buffer.from('jos\u00e9:x:1:1::/:\nbob::1000:1000::/home/jos\u00e9:\n').toString('latin1');
  const { byUser } = await parsePasswd(text);
  assert.deepEqual(
    [...byUser.values()],
    [{ user: 'bob', uid: 1000, gid: 1000, home: '/home/jos\u00e9', shell: '/bin/sh', isShadowed: false }],
  );
});

test('no file, however broken, stops the daemon', async () => {
  const unit = fc.constantFrom(...Array.from('\n\r:x+-#$!*/.@ab01\0\xff'));
  await fc.assert(
    fc.asyncProperty(fc.string({ unit, maxLength: 200 }), async (broken) => {
      const { byUser } = await parsePasswd(`${broken}\n${annsLine}\n`);
      assert.ok(byUser.has('ann'));
      for (const user of byUser.keys()) assert.match(user, /^[a-z0-9@+.-]+$/i);
    }),
    { numRuns: 500 },
  );
});
