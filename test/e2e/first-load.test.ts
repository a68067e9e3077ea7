import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { Daemon } from './support/daemon.ts';
import { childrenOf, titleOf, until } from './support/fronts.ts';
import { makeSite, type Site } from './support/site.ts';

const popper = join(import.meta.dirname, '../../core/bin/popper.js');
const popperd = pathToFileURL(join(import.meta.dirname, '../../core/dist/index.js')).href;

/** A plugin whose module does this as it is imported. */
async function siteWith(t: TestContext, work: string, fronts = 2): Promise<Site> {
  const site = await makeSite(t);
  const config = {
    listen: [{ host: '127.0.0.1', port: 0 }],
    stateDir: 'state',
    log: { format: 'json' },
    fronts,
    plugins: ['./module.mjs'],
  };
  await writeFile(site.configFile, JSON.stringify(config));
  await writeFile(
    join(site.folder, 'module.mjs'),
    `import { definePlugin } from '${popperd}';
import { appendFileSync } from 'node:fs';
${work}
export default definePlugin({ name: 'module', apply() {} });\n`,
  );
  return site;
}

/** The daemon that is to be, and all that it says. */
function begin(t: TestContext, { configFile }: Site) {
  const child = spawn(process.execPath, [popper, 'serve', '-c', configFile], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  return { child, said: text(child.stderr), exited: once(child, 'exit') };
}

const isLoader = async (pid: number): Promise<boolean> =>
  (await titleOf(pid).catch(() => '')).startsWith('popper: plan');

/** The process that it loads its configuration by. */
async function loaderOf({ pid = 0 }: ChildProcess): Promise<number> {
  let found: number | undefined;
  await until(async () => {
    for (const one of await childrenOf({ pid }).catch(() => [])) if (await isLoader(one)) found = one;
    return found !== undefined;
  });
  return found ?? 0;
}

const isGone = async (pid: number): Promise<boolean> => (await titleOf(pid).catch(() => '')) === '';

const never = 'await new Promise(() => setInterval(() => {}, 1000));';

for (const fronts of [1, 2]) {
  test(`a module of a plugin runs ${fronts > 1 ? 'never in the master' : 'in the process that serves alone'} (fronts: ${fronts})`, async (t) => {
    const ran = "appendFileSync(new URL('ran', import.meta.url), process.pid + '\\n');";
    const site = await siteWith(t, ran, fronts);
    const daemon = await Daemon.start(site.configFile);
    t.after(() => daemon.kill());
    const pids = (await readFile(join(site.folder, 'ran'), 'utf8')).trim().split('\n').map(Number);
    assert.equal(pids.length, fronts + 1, 'one has looked at it, and those who serve');
    assert.equal(pids.includes(daemon.pid), fronts === 1);
  });
}

test('a module that leaks an error while others still load is no start, and its stack is told', async (t) => {
  const late = `setTimeout(() => { throw new Error('tick tock'); }, 10); ${never}`;
  const { said, exited } = begin(t, await siteWith(t, late));
  assert.deepEqual(await exited, [1, null]);
  assert.match(await said, /Error: tick tock\n\s+at .*module\.mjs/);
  assert.match(await said, /^popper: cannot start: loading the configuration ended without an answer/m);
});

test('a process that dies as it loads the configuration is no start', async (t) => {
  const { child, said, exited } = begin(t, await siteWith(t, never));
  process.kill(await loaderOf(child), 'SIGKILL');
  assert.deepEqual(await exited, [1, null]);
  const told = 'popper: cannot start: loading the configuration ended without an answer (SIGKILL)\n';
  assert.equal(await said, told);
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} ends a start that hangs in a module, and leaves no process`, async (t) => {
    const { child, said, exited } = begin(t, await siteWith(t, never));
    const loader = await loaderOf(child);
    child.kill(signal);
    assert.deepEqual(await exited, [null, signal]);
    await until(() => isGone(loader));
    assert.equal(await said, '');
  });
}

test('a module that waits for what never comes, with nothing else to do, is told of at once', async (t) => {
  const { said, exited } = begin(t, await siteWith(t, 'await new Promise(() => {});'));
  const late = delay(30_000, 'too late', { ref: false });
  assert.deepEqual(await Promise.race([exited, late]), [1, null]);
  assert.match(await said, /it never finishes loading/);
});

test('what a plugin logs as it is applied is logged once by one process that serves alone', async (t) => {
  const site = await siteWith(t, '', 1);
  const plugin = await readFile(join(site.folder, 'module.mjs'), 'utf8');
  const logs = plugin.replace('apply() {}', "apply({ log }) { log.warn('applied'); }");
  await writeFile(join(site.folder, 'module.mjs'), logs);
  const daemon = await Daemon.start(site.configFile);
  t.after(() => daemon.kill());
  assert.equal(daemon.records.filter(({ msg }) => msg === 'applied').length, 1);
});

test('what loads the configuration does not outlive a start that is killed', async (t) => {
  const { child, exited } = begin(t, await siteWith(t, never));
  const loader = await loaderOf(child);
  child.kill('SIGKILL');
  await exited;
  await until(() => isGone(loader));
});

test('what is wrong with the configuration is told once, with the exit code of popper check', async (t) => {
  const site = await siteWith(t, '');
  await writeFile(site.configFile, '{ "listen": [], "plugins": [] }');
  const { said, exited } = begin(t, site);
  assert.deepEqual(await exited, [1, null]);
  assert.equal((await said).match(/^\d+ problems? in /gm)?.length, 1);
  const other = begin(t, { ...site, configFile: join(site.folder, 'nowhere.json') });
  assert.deepEqual(await other.exited, [2, null]);
  assert.equal(await other.said, `popper: ${site.folder}/nowhere.json: there is no such file\n`);
});
