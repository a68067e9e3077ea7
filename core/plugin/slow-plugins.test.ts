import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { defineCommand, ok } from 'popperd';
import { memoryHost, memoryMaildrop, testPlugin, TestServer } from 'popperd/testing';

interface Case {
  /** As the log names it. */
  readonly where: string;
  /** From here on it counts as slow. */
  readonly slowAfterMs: number;
}

const cases: readonly Case[] = [
  { where: 'hook connect', slowAfterMs: 1000 },
  { where: 'hook authenticate', slowAfterMs: 1000 },
  // It may have much to read.
  { where: 'hook openMaildrop', slowAfterMs: 5000 },
  { where: 'command X-SLOW', slowAfterMs: 1000 },
];

for (const { where, slowAfterMs } of cases) {
  test(`a plugin that takes ${slowAfterMs} ms in ${where} is named in the log, and the client is answered as ever`, async (t) => {
    const { said, slow } = await converseFor(slowAfterMs, where, t);
    assert.deepEqual(slow, [{ plugin: 'slow', where, tookMs: slowAfterMs }]);
    assert.deepEqual(said, (await converseFor(0, where, t)).said);
  });

  test(`a plugin that is a moment quicker in ${where} is not named`, async (t) => {
    assert.deepEqual((await converseFor(slowAfterMs - 1, where, t)).slow, []);
  });
}

/** A session with a plugin that takes so long there, by a clock that stands still otherwise. */
async function converseFor(tookMs: number, slowWhere: string, t: TestContext) {
  let nowMs = 1000;
  t.mock.method(performance, 'now', () => nowMs);
  const work: Work = (where) => {
    if (where === slowWhere) nowMs += tookMs;
    return undefined;
  };
  const server = new TestServer([plugin(work), memoryHost(memoryMaildrop(['a\r\n']))]);
  const said = await server.converse(['USER mrose', 'PASS secret', 'X-SLOW', 'QUIT']);
  const slow = server.log.filter(({ level, message }) => level === 'warn' && message === 'slow plugin');
  return { said, slow: slow.map(({ fields }) => fields) };
}

/** Has no opinion, whatever it is asked. */
type Work = (where: string) => undefined;

const plugin = (work: Work) =>
  testPlugin('slow', ({ hooks, commands }) => {
    hooks.connect.tapPromise('slow', async () => work('hook connect'));
    hooks.authenticate.tapPromise('slow', async () => work('hook authenticate'));
    hooks.openMaildrop.tapPromise('slow', async () => work('hook openMaildrop'));
    commands.add(slowCommand(work));
  });

const slowCommand = (work: Work) =>
  defineCommand({
    keyword: 'X-SLOW',
    states: ['TRANSACTION'],
    usage: 'X-SLOW',
    parse: () => undefined,
    run() {
      work('command X-SLOW');
      return ok();
    },
  });
