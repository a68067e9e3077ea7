import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { type Claimant, lets } from './rhosts.ts';

const ann: Claimant = { address: '192.0.2.7', names: ['ws.example.org'], clientUser: 'ann', user: 'ann' };
const bob: Claimant = { ...ann, clientUser: 'bob' };

const shutOut: readonly (readonly [what: string, text: string, claimant?: Claimant])[] = [
  ['an empty file', ''],
  ['a wildcard for hosts', '+\n+ ann\n'],
  ['a wildcard for users', 'ws.example.org +\n'],
  ['both', '+ +\n'],
  ['a netgroup', '+@all\nws.example.org +@all\n'],
  ['another host', 'other.example.org ann\n192.0.2.70\n'],
  ['a host of the same name elsewhere', 'ws\nws.example.com\nexample.org\n'],
  ['another user', 'ws.example.org ann\n', bob],
  ['no user, for one of another name', 'ws.example.org\n192.0.2.7\n', bob],
  ['a user in other case', 'ws.example.org ANN\n'],
  ['a comment', '# ws.example.org ann\n'],
  ['a line with words too many', 'ws.example.org ann bob\n'],
  ['a host that is refused before it is let in', '-ws.example.org\nws.example.org ann\n'],
  ['a user who is refused before he is let in', 'ws.example.org -ann\nws.example.org ann\n'],
  ['a netgroup that is refused, which nobody can look up', '-@labs\nws.example.org ann\n'],
  ['all that are refused', '-+\nws.example.org ann\n'],
  ['a refused line with more words than it needs', '-192.0.2.7 x y z\n192.0.2.7 ann\n'],
];

for (const [what, text, claimant = ann] of shutOut) {
  test(`a .rhosts file with ${what} lets nobody in`, () => {
    assert.equal(lets(text, claimant), false);
  });
}

const letIn: readonly (readonly [what: string, text: string, claimant?: Claimant])[] = [
  ['host and user', 'ws.example.org ann\n'],
  ['a host alone, for one of the same name', 'x\nws.example.org\n'],
  ['an address', '192.0.2.7\n'],
  ['an IPv6 address in another form', '2001:DB8:0::1 ann', { ...ann, address: '2001:db8::1' }],
  ['a name in other case, with a dot', '\tWS.Example.ORG.  ann \r\n'],
  ['a user of another name', 'ws.example.org bob\n', bob],
  ['a comment behind', 'ws.example.org ann # the workstation\n'],
  ['a refusal of somebody else', 'ws.example.org -bob\n-other.example.org\n192.0.2.7 ann\n'],
];

for (const [what, text, claimant = ann] of letIn) {
  test(`a .rhosts file with ${what} lets the user in`, () => {
    assert.equal(lets(text, claimant), true);
  });
}

test('an address with a zone is the one that is written so, and harms no other line', () => {
  const near: Claimant = { ...ann, address: 'fe80::1%eth0', names: [] };
  assert.equal(lets('fe80::1%eth0\n', near), true);
  assert.equal(lets('fe80::1%eth1\nfe80::2%eth0\n', near), false);
  assert.equal(lets('-fe80::1%eth0\nfe80::1 ann\n', near), false);
  assert.equal(lets('fe80::1%eth1\n2001:db8::1 ann\n', { ...near, address: '2001:db8::1' }), true);
});

test('a client without a name is let in by its address only', () => {
  assert.equal(lets('ws.example.org ann\n', { ...ann, names: [] }), false);
  assert.equal(lets('192.0.2.7 ann\n', { ...ann, names: [] }), true);
});

test('whatever stands in the file, nobody gets in from a host that it does not name', () => {
  const word = fc.constantFrom(
    '+',
    '-',
    '@',
    '+@g',
    '-@g',
    'ann',
    'other',
    '192.0.2.8',
    '#',
    ' ',
    '\t',
    '\n',
    '\r',
    '\0',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => {
      assert.equal(lets(words.join(''), ann), false);
    }),
  );
});

test('who is let in is let in by the first line that speaks of him', () => {
  const line = fc.constantFrom(
    'ws.example.org ann',
    '192.0.2.7',
    'ws.example.org -ann',
    '-192.0.2.7',
    'x y',
    '+',
    '# x',
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const first = lines.find((one) => !['x y', '+', '# x'].includes(one));
      assert.equal(lets(lines.join('\n'), ann), first !== undefined && !first.includes('-'));
    }),
  );
});
