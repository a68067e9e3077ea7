import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Failure, PartlyRemoved } from 'popperd';
import { type Client, type Departure, memoryHost, memoryMaildrop, TestServer } from 'popperd/testing';

import statistics from './index.ts';

const mail = ['Subject: one\r\n\r\nHello.\r\n', 'Subject: two\r\n\r\n', 'Subject: three\r\n\r\n'];
const [one = '', two = '', three = ''] = mail;
const login = ['USER mrose', 'PASS secret'] as const;

interface Visit extends Departure {
  readonly maildrop?: ReturnType<typeof memoryMaildrop>;
  readonly plugin?: ReturnType<typeof statistics>;
}

/** What the plugin logged of one session. */
async function statsOf(client: Client, { maildrop, plugin, ...departure }: Visit = {}) {
  const server = new TestServer([memoryHost(maildrop ?? memoryMaildrop(mail)), plugin ?? statistics()]);
  await server.record(client, departure);
  await server.stop();
  return server.log.filter(({ fields }) => fields['plugin'] === 'statistics');
}

const linesOf = async (client: Client, visit?: Visit): Promise<readonly string[]> =>
  (await statsOf(client, visit)).map(({ message }) => message);

test('who has not logged in is not counted, and neither is a maildrop that nobody could open', async () => {
  assert.deepEqual(await linesOf(['USER mrose', 'PASS wrong', 'QUIT']), []);
  assert.deepEqual(await linesOf([]), []);
  const server = new TestServer([
    memoryHost(() => {
      throw new Failure('the maildrop is in use', { code: 'IN-USE' });
    }),
    statistics(),
  ]);
  await server.converse([...login]);
  await server.stop();
  assert.ok(!server.log.some(({ message }) => message.startsWith('Stats:')));
});

test('a client that leaves without QUIT has deleted nothing, and all is left', async () => {
  const octets = one.length + two.length + three.length;
  for (const ending of ['disconnected', 'idle', 'stopped'] as const)
    assert.deepEqual(await linesOf([...login, 'DELE 1'], { ending }), [`Stats: mrose 0 0 3 ${octets}`]);
});

/** What is counted of a session whose UPDATE comes to this. */
async function statsWhere(error: Error): Promise<readonly string[]> {
  const maildrop = memoryMaildrop(mail);
  maildrop.commit = async () => {
    throw error;
  };
  return linesOf([...login, 'DELE 1', 'DELE 2', 'QUIT'], { maildrop });
}

test('an UPDATE that fails has deleted what it has deleted, and no more', async () => {
  const octets = one.length + two.length + three.length;
  assert.deepEqual(await statsWhere(new Failure('the disk is full')), [`Stats: mrose 0 0 3 ${octets}`]);
  const removed = { messages: 1, octets: one.length };
  assert.deepEqual(await statsWhere(new PartlyRemoved('1 of 2', { code: 'SYS/TEMP', removed })), [
    `Stats: mrose 1 ${one.length} 2 ${two.length + three.length}`,
  ]);
});

test('a session is one line with five fields, at info, whether it deleted anything or not', async () => {
  const [record, ...more] = await statsOf([...login, 'RETR 1', 'DELE 1', 'DELE 3', 'QUIT']);
  assert.deepEqual(record, {
    level: 'info',
    message: `Stats: mrose 2 ${one.length + three.length} 1 ${two.length}`,
    fields: { plugin: 'statistics' },
  });
  assert.deepEqual(more, []);
  const octets = one.length + two.length + three.length;
  assert.deepEqual(await linesOf([...login, 'QUIT']), [`Stats: mrose 0 0 3 ${octets}`]);
});

test('several forms can be had of one session, a record of fields among them', async () => {
  const plugin = statistics({ form: ['classic', 'json', 'cyrus'] });
  const [classic, json, cyrus] = await statsOf([...login, 'RETR 2', 'DELE 2', 'QUIT'], { plugin });
  assert.match(classic?.message ?? '', /^Stats: mrose 1 /);
  assert.equal(cyrus?.message, 'counts: retr=<1> top=<0> dele=<1>');
  const { durationMs, loginMs, openMs, updateMs, received, sent, ...fields } = json?.fields ?? {};
  assert.deepEqual(fields, {
    plugin: 'statistics',
    session: 'session-1',
    address: '192.0.2.1',
    user: 'mrose',
    tls: undefined,
    ending: 'quit',
    retrievedMessages: 1,
    retrievedOctets: two.length,
    topMessages: 0,
    topOctets: 0,
    deletedMessages: 1,
    deletedOctets: two.length,
    leftMessages: 2,
    leftOctets: one.length + three.length,
  });
  for (const number of [durationMs, loginMs, openMs, updateMs, received, sent])
    assert.equal(typeof number, 'number');
});

test('a form that nobody knows is refused with those that there are', () => {
  const [problem, ...more] = statistics(JSON.parse('{ "form": "sendmail" }')).problems;
  assert.match(problem?.message ?? '', /one or several of classic, qpopper4, .*, json/);
  assert.deepEqual(more, []);
});
