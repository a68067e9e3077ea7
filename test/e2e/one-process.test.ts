import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { greet, pluginsWith, saboteur, titleOf } from './support/fronts.ts';
import { logIn, makeSite } from './support/site.ts';

const served = async (t: TestContext) =>
  (await makeSite(t, { config: { fronts: 1, plugins: pluginsWith({}) } })).start();

test('a plugin that ends the one process: the log has the line of its code, and the exit is no success', async (t) => {
  const daemon = await served(t);
  const { client } = await greet(daemon.where);
  client.send('X-EXIT\r\n');
  assert.equal(await daemon.exited, 1);
  const record = await daemon.logged(({ msg }) => msg === 'something ended the process');
  assert.match(JSON.stringify(record), new RegExp(saboteur));
});

test('a stop that was asked for is a success, and nobody is blamed for it', async (t) => {
  const daemon = await served(t);
  assert.equal(await daemon.stop(), 0);
  assert.doesNotMatch(daemon.said, /something ended the process/);
});

test('a signal opens no debugger in the one process, nor in a master', async (t) => {
  for (const fronts of [1, 2]) {
    const daemon = await (await makeSite(t, { config: { fronts, plugins: pluginsWith({}) } })).start();
    process.kill(daemon.pid, 'SIGUSR1');
    // A debugger would have been announced meanwhile.
    await (await greet(daemon.where)).client.ask('X-PAUSE');
    await (await logIn(daemon.where)).quit();
    assert.doesNotMatch(daemon.said, /Debugger listening/);
    assert.match(await titleOf(daemon.pid), fronts === 1 ? /^popper: \d sessions?$/ : /^popper: master$/);
  }
});
