import assert from 'node:assert/strict';
import { test } from 'node:test';

import { memoryHost, memoryMaildrop, testPlugin, TestServer } from 'popperd/testing';

const heardBy = async (keyword: string, client: readonly string[]): Promise<readonly string[]> => {
  const heard: string[] = [];
  const listens = testPlugin('listens', ({ hooks }) =>
    hooks.answer
      .for(keyword)
      .tap('listens', ({ status }, words, { state }) => heard.push(`${status} ${words} ${state}`)),
  );
  await new TestServer([listens, memoryHost(memoryMaildrop(['a\r\n', 'bb\r\n']))]).converse(client);
  return heard;
};

test('a plugin hears what each command it asked for was answered, and no other', async () => {
  const client = ['USER mrose', 'PASS secret', 'RETR 2', 'STAT', 'retr 3', 'RETR x', 'QUIT'];
  assert.deepEqual(await heardBy('RETR', client), [
    '+OK 2 TRANSACTION',
    '-ERR 3 TRANSACTION',
    '-ERR x TRANSACTION',
  ]);
});

test('a password is told to nobody', async () => {
  assert.deepEqual(await heardBy('PASS', ['PASS hunter2', 'USER mrose', 'PASS secret', 'QUIT']), [
    '-ERR  AUTHORIZATION',
  ]);
});

test('nor is one in the wrong place', async () => {
  assert.deepEqual(await heardBy('USER', ['USER mrose hunter2', 'USER mrose', 'QUIT']), [
    '-ERR  AUTHORIZATION',
  ]);
  assert.deepEqual(await heardBy('TOP', ['TOP hunter2 86', 'USER mrose', 'PASS secret', 'TOP 1 0', 'QUIT']), [
    '-ERR  AUTHORIZATION',
    '+OK 1 0 TRANSACTION',
  ]);
});

test('a plugin that waits for the answers to a command that nobody has is refused at the start', async () => {
  await assert.rejects(heardBy('RETRY', []), /hook answer: there is no command RETRY/);
});

test('a plugin that throws there changes nothing for the client', async () => {
  const throws = testPlugin('throws', ({ hooks }) =>
    hooks.answer.for('STAT').tap('throws', () => {
      throw new Error('no');
    }),
  );
  const server = new TestServer([throws, memoryHost(memoryMaildrop([]))]);
  const said = await server.converse(['USER mrose', 'PASS secret', 'STAT', 'QUIT']);
  assert.deepEqual(said.slice(3), ['+OK 0 0', '+OK bye']);
  const fault = server.log.find(({ level }) => level === 'error');
  assert.match(String(fault?.fields['error']), /plugin throws, hook answer STAT: no/);
});
