import assert from 'node:assert/strict';
import { test } from 'node:test';

import { memoryHost, memoryMaildrop, TestServer } from 'popperd/testing';

import usage from './index.ts';

const mail = ['Subject: one\r\n\r\nHello.\r\n', 'Subject: two\r\n\r\n'];

test('a user learns how full the maildrop will be after QUIT', async () => {
  const server = new TestServer([memoryHost(memoryMaildrop(mail)), usage({ limitOctets: 1000 })]);
  const said = await server.converse(['USER mrose', 'PASS secret', 'X-USAGE', 'DELE 1', 'X-USAGE', 'QUIT']);
  await server.stop();
  assert.equal(said[3], '+OK 40 of 1000 octets');
  assert.equal(said[5], '+OK 16 of 1000 octets');
});

test('the log names a user whose mail is over the limit', async () => {
  const server = new TestServer([memoryHost(memoryMaildrop(mail)), usage({ limitOctets: 10 })]);
  await server.converse(['USER mrose', 'PASS secret', 'QUIT']);
  await server.stop();
  const warning = server.log.find(({ level }) => level === 'warn');
  assert.deepEqual(warning?.fields, { plugin: 'usage', user: 'mrose', octets: 40 });
});
