import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

import { TestServer } from 'popperd/testing';

import { loadConfig } from '../core/config/load-config.ts';
import { createCore } from '../core/core.ts';
import { loggerTo } from '../core/log/logger.ts';
import { startDaemon } from '../core/server/daemon.ts';
import { State } from '../core/server/state.ts';
import { defaultSettings } from '../core/settings.ts';
import everyHook from '../docs/plugins/samples/every-hook.ts';
import { samplesIn } from './docs-samples.ts';

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'popper-docs-test-'));
after(() => rmSync(folder, { recursive: true }));

const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !path.includes('node_modules'))
    .map((path) => join('docs', path)),
  ...readdirSync(join(root, 'plugins')).map((plugin) => join('plugins', plugin, 'README.md')),
];

for (const page of pages) {
  test(`${page} shows only code that is a file of the repository`, () => {
    for (const { line, source, text } of samplesIn(readFileSync(join(root, page), 'utf8'), root)) {
      assert.equal(text, source, `${page}:${line} differs from the file it is said to be from`);
    }
  });
}

const samples = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((path) =>
  /\.config\.(ts|json|yaml)$/.test(path),
);
// These name the plugin that docs/plugins/writing.md builds; test/e2e/third-party-plugin.test.ts installs it first.
const needInstalling = (path: string): boolean => path.startsWith(join('plugins', 'samples'));

for (const sample of samples.filter((path) => !needInstalling(path))) {
  test(`docs/${sample} is a configuration in order`, async () => {
    const { plugins } = await loadConfig({ file: join(root, 'docs', sample) });
    assert.ok(plugins.length > 1);
  });
}

test('the samples of docs/plugins/hooks.md tap every hook, and each is called', async () => {
  const seen = new Set<string>();
  const server = new TestServer([everyHook({ seen })]);
  await server.start();
  await server.recover(1000);
  await server.converse(['CAPA', 'USER nobody', 'PASS x', 'USER careful', 'PASS secret', 'DELE 1', 'QUIT']);
  await server.stop();
  // The rest is called by a daemon with ports, and by `popper check`: both are below.
  const core = createCore([everyHook({ seen })], {
    settings: {
      ...defaultSettings,
      listen: [{ host: '127.0.0.1', port: 0 }],
      stateDir: join(folder, 'state'),
    },
    log: loggerTo(() => {}),
    state: new State(join(folder, 'state')),
    baseFolder: folder,
  });
  const findings = { fine() {}, warning() {}, problem() {}, canLogIn() {}, withUsers() {}, actAs() {} };
  await core.hooks.check.promise({
    ...findings,
    isolation: 'none',
    frontUser: undefined,
    authUser: undefined,
  });
  await (await startDaemon(core, new State(join(folder, 'state')))).stop();
  const hooks = Object.keys(core.hooks);
  assert.deepEqual(seen, new Set(hooks));
  const page = readFileSync(join(root, 'docs/plugins/hooks.md'), 'utf8');
  const boxes = Array.from(page.matchAll(/^## (\w+)$/gm), ([, name]) => name);
  assert.deepEqual(new Set(boxes), new Set(hooks));
});
