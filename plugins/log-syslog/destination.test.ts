import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { parseDestination, shownDestination } from './destination.ts';

test('a syslog is named by a path, an abstract name, or a host with the port of its kind', () => {
  const named: readonly (readonly [string, unknown])[] = [
    ['/dev/log', { kind: 'unix', path: '/dev/log' }],
    ['@syslog', { kind: 'unix', path: '@syslog' }],
    ['udp://loghost', { kind: 'udp', host: 'loghost', port: 514 }],
    ['tcp://192.0.2.1:1514', { kind: 'tcp', host: '192.0.2.1', port: 1514 }],
    ['TLS://[2001:db8::1]', { kind: 'tls', host: '2001:db8::1', port: 6514 }],
  ];
  for (const [text, destination] of named) assert.deepEqual(parseDestination(text), destination);
});

test('what is no place is refused', () => {
  const wrong = [
    '',
    '/',
    '@',
    'dev/log',
    'udp:loghost',
    'http://loghost',
    'tcp://',
    'tcp://a b',
    'tcp://a:0',
  ];
  for (const text of [...wrong, 'tcp://a:65536', 'tcp://a/b', 'udp://user@host', `/${'x'.repeat(107)}`])
    assert.equal(parseDestination(text), undefined, text);
});

test('whatever is taken for a place is the same place when it is shown and read again', () => {
  const scheme = fc.constantFrom('udp', 'tcp', 'tls');
  const host = fc.oneof(
    fc.ipV4(),
    fc.ipV6().map((address) => `[${address}]`),
    fc.domain(),
  );
  const remote = fc.tuple(scheme, host, fc.integer({ min: 1, max: 65_535 }));
  const texts = fc.oneof(
    remote.map(([kind, name, port]) => `${kind}://${name}:${port}`),
    fc.string(),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const destination = parseDestination(text);
      if (destination !== undefined)
        assert.deepEqual(parseDestination(shownDestination(destination)), destination);
    }),
  );
});
