import assert from 'node:assert/strict';
import { test } from 'node:test';

import { memoryHost, memoryMaildrop, testPlugin, TestServer } from 'popperd/testing';

import { UncountedMaildrop } from './uncounted-maildrop.ts';

const mail = ['Subject: own\n\n', 'Subject: bulletin\n\n'];

for (const [failures, answer] of [
  [1, '-ERR [SYS/TEMP] bulletins cannot be counted just now, no messages deleted'],
  [0, '+OK bye'],
] as const) {
  test(`a user of uncounted bulletins who deletes hears ${answer}`, async (t) => {
    const inner = memoryMaildrop(mail);
    const told: string[] = [];
    const next = {
      async commit() {
        told.push('commit');
        if (failures > 0) throw new Error('EIO');
      },
      async abandon() {
        told.push('abandon');
      },
    };
    const wrapper = testPlugin('wrapper', ({ hooks }) => {
      hooks.maildrop.tapPromise('wrapper', async (maildrop) => new UncountedMaildrop(maildrop, next));
    });
    const server = new TestServer([memoryHost(inner), wrapper]);
    t.after(() => server.stop());
    const said = await server.converse(['USER mrose', 'PASS secret', 'STAT', 'DELE 1', 'DELE 2', 'QUIT']);
    assert.equal(said[3], '+OK 2 37');
    assert.equal(said.at(-1), answer);
    assert.deepEqual(told, failures > 0 ? ['commit', 'abandon'] : ['commit']);
    assert.equal(inner.kept().length, failures > 0 ? 2 : 0);
    assert.equal(inner.closings, 1);
  });
}

test('where the store says that nothing may be deleted, so does the maildrop around it', async () => {
  const closed = Object.assign(memoryMaildrop(mail), { mayDelete: () => Promise.reject(new Error('no')) });
  const next = { commit: async () => {}, abandon: async () => {} };
  await assert.rejects(new UncountedMaildrop(closed, next).mayDelete(), /^Error: no$/);
  await new UncountedMaildrop(memoryMaildrop(mail), next).mayDelete();
});
