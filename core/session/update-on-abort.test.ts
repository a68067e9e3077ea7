import assert from 'node:assert/strict';
import { test } from 'node:test';

import { memoryHost, memoryMaildrop, TestServer } from 'popperd/testing';

const session = ['USER mrose', 'PASS secret', 'DELE 1'];

const kept = async (updateOnAbort: boolean): Promise<readonly string[]> => {
  const maildrop = memoryMaildrop(['a\r\n', 'bb\r\n']);
  const server = new TestServer([memoryHost(maildrop)], { settings: { updateOnAbort } });
  const { reports } = await server.record(session);
  assert.deepEqual([reports[0]?.ending, maildrop.closings], ['disconnected', 1]);
  return maildrop.kept();
};

// RFC 1939 section 6.
test('a client that leaves without QUIT has deleted nothing', async () => {
  assert.deepEqual(await kept(false), ['a\r\n', 'bb\r\n']);
});

// The classic popper's way (its sessions were updated at a hang-up, too).
test('with updateOnAbort it has deleted what it had marked', async () => {
  assert.deepEqual(await kept(true), ['bb\r\n']);
});

test('with updateOnAbort the report tells what was deleted, and that the client did not say QUIT', async () => {
  const server = new TestServer([memoryHost(memoryMaildrop(['a\r\n', 'bb\r\n']))], {
    settings: { updateOnAbort: true },
  });
  const { reports } = await server.record(session);
  assert.deepEqual(
    [reports[0]?.ending, reports[0]?.deleted, reports[0]?.left],
    ['disconnected', { messages: 1, octets: 3 }, { messages: 1, octets: 4 }],
  );
});
