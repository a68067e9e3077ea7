import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { parseShadow } from './parse-shadow.ts';

const sha512 =
  '$6$rounds=1000$saltsalt$rXjl5uYHGWEqW/rCvZtCboIF4gG9Mm2IgawiKhopbnZ3Wo8X8lHSiLnrN1Z0o3jtyNmfEJVSATxUqKvsHnqia0';
const yescrypt = '$y$j75$abcd$I0eXwf1iZC4tta/tK9vLBtSKkhsTBrdX/LLXtabr8V2';

for (const field of ['', '!', '!!', '*', '!*', '*LK*', `!${sha512}`, `*${sha512}`]) {
  test(`nobody is let in whose password field is ${JSON.stringify(field)}`, async () => {
    const { byUser, problems } = await parseShadow(`ann:${field}:19000:0:99999:7:::\n`);
    assert.equal(byUser.get('ann')?.stored.kind, 'locked');
    assert.deepEqual(problems, []);
  });
}

const secret = 'sEcReTsAlT';
const unusable: readonly (readonly [line: string, says: RegExp])[] = [
  [`bob:${secret}`, /2 fields, and 9/],
  [`bob:$6$${secret}:19000:0:99999:7::`, /8 fields/],
  [`bob:$6$${secret}$short:19000:0:99999:7:::`, /bob: .*cut short/],
  [`bob:${secret}:19000:0:99999:7:::`, /bob: .*cut short/],
  ['bob:x:19000:0:99999:7:::', /bob: .*cut short/],
  [`bob:$6$rounds=999999999$${secret}$${'x'.repeat(86)}:19000:0:99999:7:::`, /bob: .*above 5000000/],
  [`bob:${sha512}:never:0:99999:7:::`, /bob: dates/],
  [`bob:${sha512}:19000:0:99999:7:: 1:`, /bob: dates/],
  [`bob:${sha512}:19000:0:99999:7::-2:`, /bob: dates/],
  [`bob:${sha512}:19000:0:99999:7::1e3:`, /bob: dates/],
  [`bob:${sha512}:19000:0:99999:7:::${'x'.repeat(5000)}`, /longer than 4096/],
];

test('a line that is not what shadow(5) says lets nobody in, and its report repeats nothing of the hash', async () => {
  for (const [line, says] of unusable) {
    const { byUser, problems } = await parseShadow(`ann:*:1:::::: \n${line}\n`);
    assert.deepEqual([...byUser.keys()], ['ann'], line);
    assert.equal(problems[0]?.lineNumber, 2);
    assert.match(problems[0].reason, says);
    assert.doesNotMatch(problems[0].reason, /sEcReT/);
  }
});

test('a second line gives no second password, and the lines of NIS give none', async () => {
  const { byUser } = await parseShadow(
    `ann:!::::::::\n+:${sha512}:1::::::\nann:!:1::::::\nann:${sha512}:1::::::\n`,
  );
  assert.deepEqual([...byUser.keys()], ['ann']);
  assert.equal(byUser.get('ann')?.stored.kind, 'locked');
});

test('dates are days, and what is left out or -1 is no limit', async () => {
  const { byUser } = await parseShadow(
    `ann:*:19000:1:90:7:14:20000:\nbob:*:0:0:-1:-1:-1:-1:\neve:*:::::::\n`,
  );
  const open = { maxAgeDays: undefined, inactiveDays: undefined, expiryDay: undefined };
  assert.deepEqual(
    [...byUser.values()].map(({ aging }) => aging),
    [
      { lastChangeDay: 19_000, maxAgeDays: 90, inactiveDays: 14, expiryDay: 20_000 },
      { ...open, lastChangeDay: 0 },
      { ...open, lastChangeDay: undefined },
    ],
  );
});

const line = (user: string, hash: string): string => `${user}:${hash}:1::::::\n`;

test('an unknown user costs what most users do, and where nobody has a hash, what a usual one costs', async () => {
  const mixed = line('a', yescrypt) + line('b', sha512) + line('c', yescrypt) + line('d', `!${sha512}`);
  const { decoy } = await parseShadow(mixed + line('e', `!${sha512}`));
  assert.deepEqual(decoy, { kind: 'crypt', hash: yescrypt, cost: '$y$j75$' });
  const empty = await parseShadow('root:*:1::::::\n');
  assert.ok(empty.decoy.kind === 'crypt' && empty.decoy.cost === '$6$');
});

test('no file, however broken, stops the daemon', async () => {
  const unit = fc.constantFrom(...Array.from('\n\r:x+-#$!*/.@ab019\0\xff'));
  await fc.assert(
    fc.asyncProperty(fc.string({ unit, maxLength: 200 }), async (broken) => {
      const { byUser } = await parseShadow(`${broken}\nann:${sha512}:1::::::\n`);
      assert.ok(byUser.has('ann'));
    }),
    { numRuns: 500 },
  );
});
