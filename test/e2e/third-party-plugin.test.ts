import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';

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

test('a package holds what runs, and nothing of how it was built', async () => {
  const listed = await run('sh', ['-ec', `for file in *.tgz; do tar -tzf "$file"; done`], {
    home: join(folder, 'tarballs'),
  });
  const files = listed.stdout.toString();
  assert.match(files, /package\/dist\/index\.js/);
  assert.doesNotMatch(files, /tsbuildinfo|\.test\.js/);
});

async function publishPopper(): Promise<void> {
  const workspaces = popperPackages.map((name) => `--workspace=${name}`);
  // `npm test` has built them, and other tests run them: they are packed as they are.
  await npm(
    ['pack', '--ignore-scripts', '--pack-destination', join(folder, 'tarballs'), ...workspaces],
    repository,
  );
}

/** What docs/plugins/writing.md has an author type, in the order of the page. */
async function commandsOf(page: string): Promise<readonly string[]> {
  const text = await readFile(join(repository, page), 'utf8');
  return Array.from(text.matchAll(/^```sh\n([^]*?)^```$/gm), ([, commands = '']) => commands.trim());
}

async function publishPlugin(): Promise<void> {
  const author = join(folder, 'author');
  for (const name of ['package.json', 'tsconfig.json', 'index.ts', 'usage.test.ts']) {
    await copyFile(join(sample, name), join(author, name));
  }
  // The first is typed in a clone of popper, and the last by whoever uses the plugin.
  const [, ...commands] = await commandsOf('docs/plugins/writing.md');
  assert.equal(commands.length, 4);
  for (const command of commands.slice(0, -1)) await typed(command, author);
}

/** Runs a line of a page, with this test's folder in the place of the page's. */
async function typed(command: string, cwd: string): Promise<void> {
  const line = command.replaceAll('/tmp/popper', join(folder, 'tarballs'));
  await run('sh', ['-ec', line], { home: cwd, env: npmEnvironment() });
}

async function installAsOperator(): Promise<void> {
  const operator = join(folder, 'operator');
  await writeFile(join(operator, 'package.json'), '{ "private": true, "type": "module" }\n');
  const install = (await commandsOf('docs/plugins/writing.md')).at(-1) ?? '';
  await typed(install, operator);
  await mkdir(join(operator, 'mail'));
  await writeFile(join(operator, 'passwd'), passwordFile(['alice']), { mode: 0o600 });
  for (const name of ['popper.config.json', 'popper.config.ts']) {
    const config = await readFile(join(samples, name), 'utf8');
    // Any free port, for the documented one may be taken here.
    await writeFile(join(operator, name), config.replace('1110', '0'));
  }
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

const npm = (args: readonly string[], cwd: string) => run('npm', args, { home: cwd, env: npmEnvironment() });

/** npm takes what it can from the cache that `npm ci` has filled, with the settings of whoever runs the tests. */
function npmEnvironment(): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(package|lifecycle)|npm_config_local_prefix$|INIT_CWD$)/.test(name),
  );
  return {
    ...Object.fromEntries(inherited.map(([name, value]) => [name, value ?? ''])),
    HOME: homedir(),
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_loglevel: 'error',
  };
}
