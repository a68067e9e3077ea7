import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Maildrop } from '../maildrop/maildrop.ts';
import { madeBy, makersOf } from '../maildrop/makers.ts';
import { ok } from '../protocol/reply.ts';
import { memoryMaildrop } from '../testing/memory-maildrop.ts';
import { guardEntrance } from './guard-entrance.ts';
import { PluginsAtWork } from './plugins-at-work.ts';

function guarded(maildrop: Maildrop = memoryMaildrop(['a\r\n'])) {
  const shown: (string | undefined)[] = [];
  const atWork = new PluginsAtWork();
  atWork.shownBy((what) => shown.push(what));
  const told = { plugin: 'boards', where: 'command XTND', atWork };
  const entrance = { open: async () => maildrop, hello: () => ok('in') };
  return { shown, maildrop, entrance: guardEntrance(entrance, told) };
}

test('a plugin that leads into a maildrop is shown while it does, and the maildrop is known as its own', async () => {
  const { shown, maildrop, entrance } = guarded();
  assert.equal(await entrance.open?.(), maildrop);
  entrance.hello(maildrop);
  assert.deepEqual(shown, [undefined, 'boards: command XTND', undefined, 'boards: command XTND', undefined]);
  assert.equal(makersOf(maildrop), 'boards');
});

test('one that somebody else has made stays his', async () => {
  const { maildrop, entrance } = guarded(madeBy('store', memoryMaildrop(['a\r\n'])));
  await entrance.open?.();
  assert.equal(makersOf(maildrop), 'store');
});
