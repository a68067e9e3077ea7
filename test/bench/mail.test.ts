import assert from 'node:assert/strict';
import { test } from 'node:test';

import { makeMessage } from './mail.ts';

test('a message counts the octets that it has on the wire, less byte-stuffing and the lone dot', () => {
  const { octets, wire } = makeMessage('a', 30_000);
  const text = wire().toString('latin1');
  const stuffed = text.match(/^\.\./gm)?.length ?? 0;
  assert.ok(stuffed > 0, 'there is a line that begins with a dot');
  assert.equal(text.length - stuffed - '.\r\n'.length, octets);
});

test('a top is the header, the empty line and the lone dot', () => {
  const { topWire, wire } = makeMessage('a', 3000);
  const header = wire().subarray(0, wire().indexOf('\r\n\r\n') + 4);
  assert.deepEqual(topWire(), Buffer.concat([header, Buffer.from('.\r\n')]));
});

test('the same key makes the same message, another key another', () => {
  assert.deepEqual(makeMessage('a', 3000).stored, makeMessage('a', 3000).stored);
  assert.notDeepEqual(makeMessage('a', 3000).stored, makeMessage('b', 3000).stored);
});

test('a body may be longer than the text that bodies are cut from', () => {
  const { octets, wire } = makeMessage('a', 20_000_000);
  assert.ok(octets > 20_000_000);
  assert.ok(wire().subarray(-5).equals(Buffer.from('\r\n.\r\n')));
});

test('no line of a body is an mbox envelope line', () => {
  const stored = makeMessage('a', 2_000_000).stored.toString('latin1');
  assert.equal(stored.match(/^From /gm)?.length, 1);
});
