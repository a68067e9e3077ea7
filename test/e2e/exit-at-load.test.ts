import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { frontUser } from '../users/support/served-site.ts';
import { Daemon } from './support/daemon.ts';
import { childrenOf, titleOf, until } from './support/fronts.ts';
import { run } from './support/program.ts';
import { makeSite, type Site } from './support/site.ts';

const popper = join(import.meta.dirname, '../../core/bin/popper.js');
const asRoot = { skip: process.getuid?.() === 0 ? false : 'only root can serve users as themselves' };
const told = /^(?=[^]*something ended the process)(?=[^]*process\.exit was called)(?=[^]*quitter\.mjs:)/;
const popperd = pathToFileURL(join(import.meta.dirname, '../../core/dist/index.js')).href;

/** A plugin that ends each process whose command line has this word: while it is imported, or while it is applied. */
const quitter = (word: string, when: 'import' | 'apply'): string => `
import { definePlugin } from '${popperd}';
const quit = () => process.argv.includes('${word}') && process.exit(0);
${when === 'import' ? 'quit();' : ''}
export default definePlugin({ name: 'quitter', apply() { ${when === 'apply' ? 'quit();' : ''} } });
`;

const plugins = [
  ['auth-passwd', { file: 'passwd' }],
  ['store-mbox', { spool: 'spool/{user}' }],
  ['./quitter.mjs'],
];

async function siteWith(t: Parameters<typeof makeSite>[0], plugin: string, config = {}): Promise<Site> {
  const site = await makeSite(t);
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const whole = { listen, stateDir: 'state', log: { format: 'json' }, fronts: 1, plugins, ...config };
  await writeFile(site.configFile, JSON.stringify(whole));
  await chmod(site.folder, 0o755);
  await writeFile(join(site.folder, 'quitter.mjs'), plugin);
  return site;
}

for (const when of ['import', 'apply'] as const) {
  for (const command of ['serve', 'check', 'plugins']) {
    if (command === 'plugins' && when === 'apply') continue;
    test(`a plugin that ends the process of popper ${command} at ${when} is no success, and its file is told`, async (t) => {
      const site = await siteWith(t, quitter(command, when));
      const args = [popper, command, '-c', site.configFile];
      const { exitCode, stderr } = await run(process.execPath, args, { home: site.folder, fine: [0, 1] });
      assert.equal(exitCode, 1);
      assert.match(stderr, told);
    });
  }

  test(`one that ends every front at ${when} is told of by each`, async (t) => {
    const site = await siteWith(t, quitter('front', when), { fronts: 2 });
    await assert.rejects(Daemon.start(site.configFile, popper), told);
  });

  for (const role of ['auth', 'locker', 'worker']) {
    test(`so is one that ends the process "${role}" of isolation: 'user' at ${when}`, asRoot, async (t) => {
      const config = { isolation: 'user', user: frontUser.name, fronts: 1, workers: { spares: 1 } };
      const site = await siteWith(t, quitter(role, when), config);
      const starting = Daemon.start(site.configFile, popper);
      await assert.rejects(starting, told);
    });
  }
}

/** A plugin whose `start` never answers in each process whose command line has this word. */
const hanging = (word: string): string => `
import { definePlugin } from '${popperd}';
const hang = () => new Promise(() => setInterval(() => {}, 1000));
export default definePlugin({ name: 'hanging', apply({ hooks }) {
  hooks.start.tapPromise('hanging', async () => process.argv.includes('${word}') && hang());
} });
`;

const isHung = async (pid: number): Promise<boolean> =>
  (await titleOf(pid).catch(() => '')).endsWith('[hanging: hook start]');

/** A daemon of which a process hangs so, and that process. */
async function hungIn(t: Parameters<typeof makeSite>[0], role: string, config = {}) {
  const isolation = role === 'auth' ? { isolation: 'user', user: frontUser.name } : {};
  const site = await siteWith(t, hanging(role), {
    ...(role !== 'serve' && { fronts: 2 }),
    ...isolation,
    ...config,
  });
  const master = spawn(process.execPath, [popper, 'serve', '-c', site.configFile], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => master.kill('SIGKILL'));
  const said = text(master.stderr);
  const { pid = 0 } = master;
  let hung: number | undefined;
  await until(async () => {
    for (const one of await childrenOf({ pid }).catch(() => [])) if (await isHung(one)) hung = one;
    return hung !== undefined;
  });
  return { master, said, hung: hung ?? 0 };
}

for (const role of ['front', 'auth']) {
  test(`a process "${role}" that hangs in start does not outlive its master`, asRoot, async (t) => {
    const { master, hung } = await hungIn(t, role);
    master.kill('SIGKILL');
    await until(async () => (await titleOf(hung).catch(() => '')) === '');
  });

  test(
    `one signal ends a start in which a process "${role}" hangs, when its time is over`,
    asRoot,
    async (t) => {
      const { master, said, hung } = await hungIn(t, role, { stopTimeoutMs: 100, hookDeadlineMs: 100 });
      master.kill('SIGTERM');
      assert.deepEqual(await once(master, 'exit'), [1, null]);
      assert.match(await said, /"starting, which a stop waits for, took too long"/);
      await until(async () => (await titleOf(hung).catch(() => '')) === '');
    },
  );
}

test('one signal ends the start of one process that hangs, when its time is over', async (t) => {
  const marked = "process.stderr.write('hangs\\n')";
  const plugin = hanging('serve').replace('const hang = () =>', `const hang = () => ${marked} && `);
  const site = await siteWith(t, plugin, { stopTimeoutMs: 100, hookDeadlineMs: 100 });
  const daemon = spawn(process.execPath, [popper, 'serve', '-c', site.configFile], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => daemon.kill('SIGKILL'));
  let said = '';
  daemon.stderr.on('data', (octets: Buffer) => {
    said += octets.toString();
  });
  await until(() => said.includes('hangs\n'));
  daemon.kill('SIGTERM');
  assert.deepEqual(await once(daemon, 'exit'), [1, null]);
  assert.match(said, /"starting, which a stop waits for, took too long"/);
});
