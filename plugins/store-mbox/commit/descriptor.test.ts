import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Descriptor } from './descriptor.ts';

test('a descriptor is closed once, when its last call is over, and used no more', async () => {
  const descriptor = new Descriptor(1000);
  const events: string[] = [];
  const { promise, resolve: end } = Promise.withResolvers<string>();
  const call = descriptor.use(() => promise);
  const close = (): void => void events.push('closed');
  const closing = [descriptor.close(close), descriptor.close(close)];
  await assert.rejects(
    descriptor.use(() => Promise.resolve()),
    { code: 'EBADF' },
  );
  assert.throws(() => descriptor.number, { code: 'EBADF' });
  assert.deepEqual(events, [], 'it was closed under a call, which would have gone to another file');
  end('read');
  assert.equal(await call, 'read');
  await Promise.all(closing);
  assert.deepEqual(events, ['closed']);
});

test('a call that a signal interrupted is made again', async () => {
  const descriptor = new Descriptor(1000);
  let calls = 0;
  const answer = await descriptor.use(async () => {
    calls += 1;
    if (calls < 3) throw Object.assign(new Error('interrupted'), { code: 'EINTR' });
    return 'done';
  });
  assert.deepEqual([answer, calls], ['done', 3]);
});
