import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';

import { z } from 'zod';

import { memoryHost, memoryMaildrop, TestServer } from '../testing.ts';
import { definePlugin, type Popper } from './plugin.ts';

const sink = (tap: (message: string, popper: Popper) => unknown) =>
  definePlugin({
    name: 'sink',
    options: z.strictObject({}),
    apply: (popper) =>
      popper.hooks.log.tap('sink', ({ level, message }) =>
        level === 'debug' ? undefined : tap(message, popper),
      ),
  })();

const messagesOf = ({ log }: TestServer): readonly string[] =>
  log.flatMap(({ level, message }) => (level === 'debug' ? [] : [message]));

const session = ['USER mrose', 'PASS secret', 'QUIT'];

test('a sink hears what the log is told', async () => {
  const heard: string[] = [];
  const server = new TestServer([memoryHost(memoryMaildrop([])), sink((message) => heard.push(message))]);
  await server.converse(session);
  await server.stop();
  assert.deepEqual(heard, ['session']);
});

test('a sink that fails is named in the log, and hears neither that nor what it says itself', async () => {
  const broken = sink((message, popper) => {
    popper.log.info('about', { message });
    throw new Error('the disk is full');
  });
  const server = new TestServer([memoryHost(memoryMaildrop([])), broken]);
  await server.converse(session);
  await server.stop();
  assert.deepEqual(messagesOf(server), ['session', 'about', 'log failed']);
  assert.match(
    String(server.log.find(({ message }) => message === 'log failed')?.fields['error']),
    /plugin sink, hook log: the disk is full/,
  );
});

test('a sink that is async and fails is named in the log once for each record, and does not hear of itself', async () => {
  let heard = 0;
  const broken = sink(async () => {
    heard += 1;
    throw new Error('the disk is full');
  });
  const server = new TestServer([memoryHost(memoryMaildrop([])), broken]);
  await server.converse(session);
  await server.stop();
  await setImmediate();
  assert.equal(heard, 1);
  assert.deepEqual(messagesOf(server), ['session', 'log failed', 'a promise that nobody awaits failed']);
});
