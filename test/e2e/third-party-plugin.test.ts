import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';

import { z } from 'zod';

import { Daemon } from './support/daemon.ts';
import { onWire, plainMail, putMail } from './support/mail.ts';
import { run } from './support/program.ts';
import { logIn, passwordFile } from './support/site.ts';

// A stranger writes a plugin against popper's published packages, publishes it, and another stranger installs it: all
// outside the repository, so that nothing of it helps but what the packages hold.

const repository = join(import.meta.dirname, '../..');
const sample = join(repository, 'docs/plugins/sample');
const samples = join(repository, 'docs/plugins/samples');
const popperPackages = ['popperd', 'popper-plugin-auth-passwd', 'popper-plugin-store-mbox'];
const octetsInAll = plainMail.reduce((octets, message) => octets + onWire(message.octets).length, 0);

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-third-party-'));
  for (const name of ['tarballs', 'author', 'operator']) await mkdir(join(folder, name));
  await publishPopper();
  await publishPlugin();
  await installAsOperator();
});
after(() => rm(folder, { recursive: true, force: true }));

for (const configFile of ['popper.config.json', 'popper.config.ts']) {
  test(`a plugin from a package works when ${configFile} names it`, async (t) => {
    const daemon = await startOperators(t, configFile);
    const client = await logIn(daemon.where);
    assert.ok((await client.askLines('CAPA')).includes('X-USAGE'));
    assert.equal(await client.ask('X-USAGE'), `+OK ${octetsInAll} of 50000000 octets`);
    await client.ask('DELE 1');
    const left = octetsInAll - onWire(plainMail[0]?.octets ?? Buffer.alloc(0)).length;
    assert.equal(await client.ask('X-USAGE'), `+OK ${left} of 50000000 octets`);
    await client.quit();
    assert.equal(await daemon.stop(), 0);
  });
}

test('popper lists the plugin and its command', async () => {
  const { stdout } = await popper(['plugins', '-c', join(folder, 'operator/popper.config.json')]);
  assert.match(stdout.toString(), /usage/);
  assert.match(stdout.toString(), /X-USAGE/);
});

test('an option that the plugin does not take is refused by its name, with the place in the file', async () => {
  const file = join(folder, 'operator/broken.json');
  const config = await readFile(join(folder, 'operator/popper.config.json'), 'utf8');
  await writeFile(file, config.replace('50000000', '"much"'));
  const { stdout, stderr } = await popper(['check', '-c', file], [1]);
  assert.match(`${stdout.toString()}${stderr}`, /broken\.json:\d+:\d+[^]*limitOctets/);
});

async function publishPopper(): Promise<void> {
  const workspaces = popperPackages.map((name) => `--workspace=${name}`);
  // `npm test` has built them, and other tests run them: they are packed as they are.
  await npm(
    ['pack', '--ignore-scripts', '--pack-destination', join(folder, 'tarballs'), ...workspaces],
    repository,
  );
}

async function publishPlugin(): Promise<void> {
  const author = join(folder, 'author');
  for (const name of ['package.json', 'tsconfig.json', 'index.ts']) {
    await copyFile(join(sample, name), join(author, name));
  }
  const { devDependencies } = rootPackage.parse(
    JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')),
  );
  const tools = ['typescript', '@types/node'].map((name) => `${name}@${devDependencies[name]}`);
  await npm(['install', '--save-dev', ...(await tarballs('popperd-')), ...tools], author);
  await npm(['pack', '--pack-destination', join(folder, 'tarballs')], author);
}

const rootPackage = z.looseObject({ devDependencies: z.record(z.string(), z.string()) });

async function installAsOperator(): Promise<void> {
  const operator = join(folder, 'operator');
  await writeFile(join(operator, 'package.json'), '{ "private": true, "type": "module" }\n');
  await npm(['install', ...(await tarballs(''))], operator);
  await mkdir(join(operator, 'mail'));
  await writeFile(join(operator, 'passwd'), passwordFile(['alice']), { mode: 0o600 });
  for (const name of ['popper.config.json', 'popper.config.ts']) {
    const config = await readFile(join(samples, name), 'utf8');
    // Any free port, for the documented one may be taken here.
    await writeFile(join(operator, name), config.replace('1110', '0'));
  }
}

async function tarballs(beginning: string): Promise<string[]> {
  const names = await readdir(join(folder, 'tarballs'));
  return names.filter((name) => name.startsWith(beginning)).map((name) => join(folder, 'tarballs', name));
}

async function startOperators(t: TestContext, configFile: string): Promise<Daemon> {
  const operator = join(folder, 'operator');
  await putMail(join(operator, 'mail/alice'), plainMail);
  const daemon = await Daemon.start(join(operator, configFile), installedPopper());
  t.after(() => daemon.kill());
  return daemon;
}

const installedPopper = (): string => join(folder, 'operator/node_modules/popperd/bin/popper.js');

const popper = (args: readonly string[], fine: readonly number[] = [0]) =>
  run(process.execPath, [installedPopper(), ...args], { home: join(folder, 'operator'), fine });

/** Takes what it can from the cache that `npm ci` has filled, with the settings of whoever runs the tests. */
function npm(args: readonly string[], cwd: string) {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(package|lifecycle)|npm_config_local_prefix$|INIT_CWD$)/.test(name),
  );
  const env = {
    ...Object.fromEntries(inherited.map(([name, value]) => [name, value ?? ''])),
    HOME: homedir(),
  };
  return run('npm', ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', ...args], {
    home: cwd,
    env,
  });
}
