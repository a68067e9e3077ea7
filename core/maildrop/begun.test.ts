import assert from 'node:assert/strict';
import { test } from 'node:test';

import { latin1 } from '../../test/mail-octets.ts';
import { PiecesAtHand } from '../../test/pieces-at-hand.ts';
import { ok, okBody } from '../protocol/reply.ts';
import { begunReply } from './begun.ts';

const withBody = (message: AsyncIterable<Uint8Array>) => okBody('', message);
const refuse = () => {
  throw new Error('no');
};
const chunks = ['a\r\n', 'b\r\n'].map(latin1);

test('a message is whole behind its reply, be its first piece at hand or not', async () => {
  for (const isHere of [true, false]) {
    const message = new PiecesAtHand(chunks, () => isHere);
    const reply = begunReply(message, withBody);
    assert.equal(reply instanceof Promise, !isHere);
    const { body } = { body: undefined, ...(await reply) };
    assert.ok(body !== undefined);
    assert.deepEqual(await Array.fromAsync(body), chunks);
  }
});

test('a message that is not wanted after all is closed', async () => {
  const here = new PiecesAtHand(chunks);
  assert.throws(() => begunReply(here, refuse), /^Error: no$/);
  const later = new PiecesAtHand(chunks, () => false);
  await assert.rejects(async () => begunReply(later, refuse), /^Error: no$/);
  assert.deepEqual([here.isClosed, later.isClosed], [true, true]);
});

test('an empty message is a reply as well', async () => {
  assert.deepEqual(await begunReply(new PiecesAtHand([]), () => ok('empty')), ok('empty'));
});
