import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PluginsAtWork } from './plugins-at-work.ts';

/** What was shown, and one that shows it. */
function shown() {
  const texts: (string | undefined)[] = [];
  const atWork = new PluginsAtWork();
  atWork.shownBy((what) => texts.push(what));
  return { texts, atWork };
}

test('the piece that began last and is not over is shown, whatever is over first', () => {
  const { texts, atWork } = shown();
  const first = atWork.began('a', 'hook commit');
  const second = atWork.began('b', 'command X-B');
  const third = atWork.began('c', 'hook refused');
  atWork.ended(second);
  atWork.ended(second);
  atWork.ended(third);
  atWork.ended(first);
  assert.deepEqual(texts, [
    undefined,
    'a: hook commit',
    'b: command X-B',
    'c: hook refused',
    'a: hook commit',
    undefined,
  ]);
});

test('what begins while nobody looks is not remembered, and what ends then is forgotten', () => {
  const atWork = new PluginsAtWork();
  const unseen = atWork.began('a', 'apply');
  const texts: (string | undefined)[] = [];
  atWork.shownBy((what) => texts.push(what));
  atWork.ended(unseen);
  const seen = atWork.began('b', 'hook start');
  atWork.shownBy(undefined);
  atWork.ended(seen);
  atWork.shownBy((what) => texts.push(what));
  assert.deepEqual(texts, [undefined, 'b: hook start', undefined]);
});
