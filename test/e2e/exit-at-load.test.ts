import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

for (const role of ['front', 'auth']) {
  test(`a process "${role}" that hangs in start does not outlive its master`, asRoot, async (t) => {
    const config = role === 'auth' ? { isolation: 'user', user: frontUser.name } : { fronts: 2 };
    const site = await siteWith(t, hanging(role), config);
    const master = spawn(process.execPath, [popper, 'serve', '-c', site.configFile], { stdio: 'ignore' });
    t.after(() => master.kill('SIGKILL'));
    const { pid = 0 } = master;
    const shown = /\[hanging: hook start\]$/;
    let hung: number | undefined;
    await until(async () => {
      const children = await childrenOf({ pid }).catch(() => []);
      for (const child of children) if (shown.test(await titleOf(child).catch(() => ''))) hung = child;
      return hung !== undefined;
    });
    master.kill('SIGKILL');
    await until(async () => (await titleOf(hung ?? 0).catch(() => '')) === '');
  });
}
