import assert from 'node:assert/strict';
import { test } from 'node:test';

import { memoryHost, memoryMaildrop, TestServer, type Client } from 'popperd/testing';

import euidl from './index.ts';

const login = ['USER mrose', 'PASS secret'];

const mail = [
  { uid: 'first', text: 'Subject: a\r\nFrom: Bob <bob@example.org>\r\n\r\nFrom: body\r\n' },
  { uid: 'second', text: 'From:\tCarol,\n\t  who folds\n <carol@example.org>\n\n' },
  { uid: 'third', text: 'Subject: nobody\r\n\r\nFrom: body\r\n' },
];

/** Logs in, says these lines and leaves. Gives what the server said after the login. */
async function afterLogin(lines: Client): Promise<readonly string[]> {
  const server = new TestServer([memoryHost(memoryMaildrop(mail)), euidl()]);
  const client = (async function* () {
    yield* login;
    yield* lines;
  })();
  return (await server.converse(client)).slice(login.length + 1);
}

test('a client has number, unique-id, size and sender of every message in one answer', async () => {
  assert.deepEqual(await afterLogin(['EUIDL', 'LIST 2']), [
    '+OK uidl command accepted.',
    '1 first 55 Bob <bob@example.org>',
    '2 second 52 Carol, who folds <carol@example.org>',
    '3 third 31',
    '.',
    '+OK 2 52',
  ]);
});

test('the same of one message, and a deleted one is left out', async () => {
  assert.deepEqual(await afterLogin(['euidl 1', 'DELE 1', 'EUIDL 1', 'EUIDL']), [
    '+OK 1 first 55 Bob <bob@example.org>',
    '+OK message 1 deleted',
    '-ERR message 1 is deleted',
    '+OK uidl command accepted.',
    '2 second 52 Carol, who folds <carol@example.org>',
    '3 third 31',
    '.',
  ]);
});

test('0, a number out of range and a word too many are refused, and the session goes on', async () => {
  assert.deepEqual(await afterLogin(['EUIDL 0', 'EUIDL 4', 'EUIDL 1 2', 'NOOP']), [
    '-ERR usage: EUIDL [msg]',
    '-ERR there is no message 4',
    '-ERR usage: EUIDL [msg]',
    '+OK',
  ]);
});
