import assert from 'node:assert/strict';
import { test } from 'node:test';

import { adviceOnSockets, placed } from './sockets-for.ts';
import { givenSockets } from './variables.ts';

test('each entry gets the socket of its name, and the second of a name the second socket', () => {
  const given = givenSockets(['pop3', 'pop3s', 'pop3']);
  const listen = [
    { inherited: 'pop3s', tls: true },
    { port: 110 },
    { inherited: 'pop3' },
    { inherited: 'pop3' },
  ];
  assert.deepEqual(placed(listen, given), [
    { inherited: 'pop3s', tls: true, descriptor: 4 },
    { port: 110 },
    { inherited: 'pop3', descriptor: 3 },
    { inherited: 'pop3', descriptor: 5 },
  ]);
  assert.deepEqual(adviceOnSockets(listen, given), []);
});

test('an operator who has started popper without its sockets is told which, and what there were', () => {
  assert.throws(
    () => placed([{ inherited: 'pop3' }], []),
    /"pop3".*with no open socket: see FileDescriptorName=/,
  );
  const twice = [{ inherited: 'pop3' }, { inherited: 'pop3' }];
  assert.throws(() => placed(twice, givenSockets(['pop3', 'web'])), /with "pop3", "web" and no other/);
});

test('an operator is told of every socket that nobody serves', () => {
  const advice = adviceOnSockets([{ inherited: 'pop3' }], givenSockets(['pop3', 'web', 'pop3']));
  assert.deepEqual(
    advice.map(({ what }) => /"(\w+)" is open and not served/.exec(what)?.[1]),
    ['web', 'pop3'],
  );
});
