import { deepStrictEqual as deepEqual, strictEqual as equal, match, ok, rejects } from 'node:assert/strict';
import { access, chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';

import type { Config } from './define-config.ts';
import { noFlags } from './flags.ts';
import { type LoadedConfig, loadConfig } from './load-config.ts';
import { ConfigError, NoConfigError } from './problem.ts';

const minimal = `{ listen: [{ port: 1110 }, { path: 'sockets/pop3' }], stateDir: 'var', plugins: [] }`;

const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

describe('where a config is looked for', () => {
  it('the working folder goes before the system folder', async () => {
    const [here, system] = [await folderWith(minimalJson), await folderWith(minimalJson)];
    equal((await loadIn(here, [system])).file, join(here, 'popper.config.json'));
  });

  it('the system folder is used where the working folder has none', async () => {
    const [here, system] = [await folderWith({}), await folderWith(minimalJson)];
    equal((await loadIn(here, [system])).baseFolder, system);
  });

  it('where there is none, every folder that was searched is named', async () => {
    const [here, system] = [await folderWith({}), await folderWith({})];
    await rejects(loadIn(here, [system]), (error: unknown) => {
      ok(error instanceof NoConfigError);
      return error.message.includes(here) && error.message.includes(system);
    });
  });

  it('a config that cannot be read is not passed over for the next one', async () => {
    const here = await folderWith({});
    await symlink(join(here, 'gone.json'), join(here, 'popper.config.json'));
    const system = await folderWith(minimalJson);
    await rejects(loadIn(here, [system]), NoConfigError);
  });

  it('a named config is the one that is used, whatever lies beside it', async () => {
    const here = await folderWith({
      ...minimalJson,
      'other.yaml': 'listen: [{ port: 7 }]\nstateDir: s\nplugins: []',
    });
    deepEqual((await loadIn(here, [], 'other.yaml')).settings.listen, [{ port: 7 }]);
  });

  it('a named config that is a folder, or of no known kind, is refused with a reason', async () => {
    const here = await folderWith({ 'popper.conf': '' });
    await mkdir(join(here, 'folder.ts'));
    await rejects(loadIn(here, [], 'folder.ts'), /this is a folder/);
    await rejects(loadIn(here, [], 'popper.conf'), /a config ends in \.ts, \.js/);
  });

  it('code of strangers in .config of the current folder is not run', async () => {
    const here = await folderWith(minimalJson);
    await mkdir(join(here, '.config'));
    const trap = `require('node:fs').writeFileSync(${JSON.stringify(join(here, 'ran'))}, '');`;
    await writeFile(join(here, '.config', 'config.cjs'), trap);
    const before = process.cwd();
    process.chdir(here);
    try {
      equal((await loadIn(here, [])).file, join(here, 'popper.config.json'));
      equal(process.cwd(), here);
    } finally {
      process.chdir(before);
    }
    await rejects(access(join(here, 'ran')), { code: 'ENOENT' });
  });
});

describe('what a config says is made complete', () => {
  const configs: Readonly<Record<string, string>> = {
    'popper.config.ts': `export default ({ flags }: { flags: object }) => (${minimal}) as const;`,
    'popper.config.js': `export default ${minimal};`,
    'popper.config.mjs': `export default () => (${minimal});`,
    'popper.config.json': minimalText(),
    'popper.config.yaml': 'listen: [{ port: 1110 }, { path: sockets/pop3 }]\nstateDir: var\nplugins: []',
    'popper.config.yml': 'listen:\n  - port: 1110\n  - path: sockets/pop3\nstateDir: var\nplugins: []',
  };

  for (const [name, content] of Object.entries(configs)) {
    it(`${name}: paths are taken from its folder, and defaults put in`, async () => {
      const here = await folderWith({ [name]: content });
      const { settings, baseFolder, log, plugins } = await loadIn(here, []);
      equal(baseFolder, here);
      deepEqual(settings, {
        listen: [{ port: 1110 }, { path: join(here, 'sockets', 'pop3') }],
        stateDir: join(here, 'var'),
        control: { path: join(here, 'var', 'control.sock') },
        tls: undefined,
        cleartextLogin: 'loopback',
        idleTimeoutMs: 600_000,
        loginTimeoutMs: 60_000,
        stopTimeoutMs: 30_000,
        maxAuthFailures: 3,
        hookDeadlineMs: 30_000,
        limits: { connections: 10_000, connectionsPerAddress: 100, sessionsPerUser: 20 },
        fronts: 'auto',
        blockedTimeoutMs: 10_000,
        retireTimeoutMs: 86_400_000,
        isolation: 'none',
        user: 'popper',
        authUser: undefined,
        minUid: 1000,
        workers: { spares: 2, maxUsers: 100, patienceMs: 10_000, idleMs: 60_000 },
        replies: 'plain',
        hostname: hostname(),
        updateOnAbort: false,
        socketDebug: false,
        logStyle: 'plain',
      });
      deepEqual({ log, plugins }, { log: { level: 'info', format: 'auto' }, plugins: [] });
    });
  }

  it('a config can be a function of what the command line said', async () => {
    const here = await folderWith({
      'popper.config.ts': `export default ({ flags }) => ({ ...${minimal}, log: { level: flags.debug ? 'debug' : 'warn' } });`,
    });
    equal((await loadIn(here, [])).log.level, 'warn');
    const loud = await loadConfig({ workingFolder: here, flags: { ...noFlags, debug: true } });
    equal(loud.log.level, 'debug');
  });

  it('every key that the types offer is one that is understood', async () => {
    const full: Required<Config> = {
      listen: [
        { host: '::1', port: 110, proxy: { from: ['10.0.0.0/8', '::1'] } },
        { host: '::1', port: 995, tls: true },
        { path: '/run/pop3', mode: 0o600, proxy: { from: ['unix'] } },
      ],
      stateDir: '/var/lib/popper',
      control: { path: '/run/popper/control.sock', mode: 0o640, group: 'adm' },
      tls: { certificate: '/etc/popper/chain.pem', key: '/etc/popper/key.pem', minVersion: 'TLSv1.3' },
      cleartextLogin: 'never',
      idleTimeoutMs: 1,
      loginTimeoutMs: 2,
      maxAuthFailures: 3,
      hookDeadlineMs: 4,
      stopTimeoutMs: 5,
      limits: { connections: 6, connectionsPerAddress: 7, connectionsPerNetwork: 8, sessionsPerUser: 9 },
      fronts: 8,
      blockedTimeoutMs: 9,
      retireTimeoutMs: 10,
      log: { level: 'error', format: 'json' },
      isolation: 'user',
      user: 'pop',
      authUser: 'pop-auth',
      minUid: 500,
      workers: { spares: 0, maxUsers: 1, patienceMs: 2, idleMs: 3 },
      replies: 'classic',
      hostname: 'pop.example.org',
      updateOnAbort: true,
      socketDebug: true,
      logStyle: 'classic',
      plugins: [],
    };
    const here = await folderWith({ 'popper.config.json': JSON.stringify(full) });
    const { settings, log } = await loadIn(here, []);
    deepEqual({ ...settings, log, plugins: [] }, full);
  });

  it('the control socket lies beside the state, where the config says, or nowhere', async () => {
    const here = await folderWith({
      'a.yaml': 'listen: [{ port: 0 }]\nstateDir: /var/lib/popper\ncontrol: { group: 7 }\nplugins: []',
      'b.yaml': 'listen: [{ port: 0 }]\nstateDir: var\ncontrol: { path: run/popper.sock }\nplugins: []',
      'c.yaml': 'listen: [{ port: 0 }]\nstateDir: var\ncontrol: false\nplugins: []',
      'd.yaml': `listen: [{ port: 0 }]\nstateDir: var\ncontrol: { path: ${'x'.repeat(100)} }\nplugins: []`,
    });
    const controlIn = async (file: string) => (await loadIn(here, [], file)).settings.control;
    deepEqual(await controlIn('a.yaml'), { path: '/var/lib/popper/control.sock', group: 7 });
    deepEqual(await controlIn('b.yaml'), { path: join(here, 'run', 'popper.sock') });
    equal(await controlIn('c.yaml'), undefined);
    await rejects(controlIn('d.yaml'), /control\.path: \d+ octets with its folder/);
  });

  it('a folder may be called anything', async () => {
    const here = join(await folderWith({}), 'a b#c%20?,d');
    await mkdir(here);
    await writeFile(join(here, 'p#q.mjs'), pluginNamed('odd'));
    const json = '{ "listen": [{ "port": 0 }], "stateDir": "var", "plugins": ["./p#q.mjs"] }';
    await writeFile(join(here, 'popper.config.json'), json);
    await writeFile(join(here, 'popper.config.ts'), `export default ${minimal};`);
    deepEqual(namesIn(await loadIn(here, [], 'popper.config.json')), ['odd']);
    deepEqual((await loadIn(here, [])).unused, [join(here, 'popper.config.json')]);
  });

  it('a key called $import is a misspelling like any other, and loads no other file', async () => {
    const here = await folderWith({
      'popper.config.yaml': 'listen: [{ port: 1110 }]\nstateDir: var\nplugins: []\n$import: other.json',
      'other.json': '{ "maxAuthFailures": 5 }',
    });
    await rejects(loadIn(here, []), /\$import: there is no such key/);
  });
});

describe('where the plugins of a config come from', () => {
  it('a config far from any node_modules takes packages from beside popper', async () => {
    const here = await folderWith({
      'popper.config.ts': `import { defineConfig, definePlugin } from 'popperd';
        import { z } from 'zod';
        const plugin = definePlugin({ name: 'near', options: z.strictObject({}), apply() {} });
        export default defineConfig({ ...${minimal}, plugins: [plugin(), false, undefined] });`,
    });
    deepEqual(namesIn(await loadIn(here, [])), ['near']);
  });

  it('what is installed beside the config goes before what is beside popper', async () => {
    const here = await folderWith({
      'popper.config.yaml': 'listen: [{ port: 1110 }]\nstateDir: var\nplugins: [auth-passwd]',
    });
    await install(here, 'popper-plugin-auth-passwd', pluginNamed('own-passwd'));
    deepEqual(namesIn(await loadIn(here, [])), ['own-passwd']);
  });

  it('JSON and YAML name them short, by package or by path, with options or without', async () => {
    const here = await folderWith({
      'popper.config.yaml': `listen: [{ port: 1110 }]
stateDir: var
plugins: [first, [popper-plugin-second, { loud: true }], ["@example/third"], ./fourth.mjs, false]`,
      'fourth.mjs': pluginNamed('fourth'),
    });
    await install(here, 'popper-plugin-first', pluginNamed('first'));
    await install(here, 'popper-plugin-second', pluginNamed('second'));
    await install(here, '@example/third', pluginNamed('third'));
    deepEqual(namesIn(await loadIn(here, [])), ['first', 'second', 'third', 'fourth']);
  });

  it('a package that only imports can load is found as well', async () => {
    const here = await folderWith({
      'popper.config.json': '{ "listen": [{ "port": 1110 }], "stateDir": "var", "plugins": ["esm"] }',
    });
    await install(here, 'popper-plugin-esm', pluginNamed('esm'), { exports: { import: './index.js' } });
    deepEqual(namesIn(await loadIn(here, [])), ['esm']);
  });

  it('a package that exports no plugin is told apart from one that is not there', async () => {
    const here = await folderWith({
      'popper.config.json': '{ "listen": [{ "port": 1110 }], "stateDir": "var", "plugins": ["no", "half"] }',
    });
    await install(here, 'popper-plugin-no', 'export const nothing = true;');
    await install(here, 'popper-plugin-half', '', { exports: './dist/index.js' });
    await rejects(loadIn(here, []), (error: unknown) => {
      ok(error instanceof ConfigError);
      const [no, half] = error.problems;
      match(no?.what ?? '', /no is no popper plugin: it exports no function by default/);
      match(half?.what ?? '', /the package popper-plugin-half is there, but not the file/);
      return true;
    });
  });
});

describe('a config in TypeScript or JavaScript', () => {
  for (const type of ['"type": "commonjs", ', '"type": "module", ', '']) {
    for (const extension of ['ts', 'js']) {
      it(`with imports is a module (.${extension}) beside a package.json with { ${type}... }, and no warning is shown`, async () => {
        const warnings: string[] = [];
        const listener = ({ message }: Error): void => void warnings.push(message);
        process.on('warning', listener);
        const here = await folderWith({
          'package.json': `{ ${type}"name": "mail" }`,
          [`options.${extension}`]: 'export const stateDir = "var";',
          [`popper.config.${extension}`]: `import { defineConfig } from 'popperd';
            import { stateDir } from './options.${extension}';
            export default defineConfig({ listen: [{ port: 1110 }], stateDir, plugins: [] });`,
        });
        const { settings } = await loadIn(here, []);
        await new Promise((resolve) => setImmediate(resolve));
        process.off('warning', listener);
        equal(settings.stateDir, join(here, 'var'));
        deepEqual(warnings, []);
      });
    }
  }

  it('may still be CommonJS, where it is written so', async () => {
    const here = await folderWith({
      'popper.config.js': 'module.exports = { listen: [{ port: 1110 }], stateDir: "var", plugins: [] };',
    });
    equal((await loadIn(here, [])).settings.stateDir, join(here, 'var'));
  });
});

describe('what an operator is used to', () => {
  for (const [extension, mode] of [
    ['yaml', '0660'],
    ['yaml', '0o660'],
    ['yaml', "'0660'"],
    ['json', '"0660"'],
    ['json', '"660"'],
    ['json', '432'],
  ] as const) {
    it(`permission bits may be written ${mode} in .${extension}`, async () => {
      const text = `{ "listen": [{ "path": "socket", "mode": ${mode} }], "stateDir": "var", "plugins": [] }`;
      const { settings } = await loadIn(await folderWith({ [`popper.config.${extension}`]: text }), []);
      deepEqual(
        settings.listen.map((listen) => 'path' in listen && listen.mode),
        [0o660],
      );
    });
  }

  for (const mode of ['"rw"', '"0990"', '"99999"', '1000', '-1', '1.5']) {
    it(`${mode} is no permission bits`, async () => {
      const text = `{ "listen": [{ "path": "socket", "mode": ${mode} }], "stateDir": "var", "plugins": [] }`;
      const loading = loadIn(await folderWith({ 'popper.config.json': text }), []);
      await rejects(loading, /mode: expected permission bits/);
    });
  }

  it('a slip in the name of a plugin that is installed is pointed out', async () => {
    const text = '{ "listen": [{ "port": 1110 }], "stateDir": "var", "plugins": ["store-mbx"] }';
    const loading = loadIn(await folderWith({ 'popper.config.json': text }), []);
    await rejects(loading, (error: unknown) => {
      ok(error instanceof ConfigError);
      match(error.problems[0]?.fix ?? '', /did you mean store-mbox\?/);
      return true;
    });
  });
});

describe('a config that root is to run', () => {
  it('is refused unread where others could have written it', async () => {
    const here = await folderWith({ 'popper.config.mjs': 'throw new Error("it ran");' });
    await chmod(join(here, 'popper.config.mjs'), 0o666);
    const refused = loadConfig({ workingFolder: here, otherFolders: [], runner: { uid: 0 } });
    await rejects(refused, (error: unknown) => {
      ok(error instanceof ConfigError);
      ok(error.problems.every(({ what }) => what.startsWith('root will not run it')));
      ok(error.problems.some(({ what }) => what.includes('can be changed by everybody')));
      return true;
    });
  });
});

function minimalText(): string {
  return '{ "listen": [{ "port": 1110 }, { "path": "sockets/pop3" }], "stateDir": "var", "plugins": [] }';
}

const minimalJson = { 'popper.config.json': minimalText() };

const pluginNamed = (name: string): string =>
  `export default (options) => ({ name: '${name}', api: 1, problems: [], options, apply() {} });`;

const namesIn = ({ plugins }: LoadedConfig): readonly string[] => plugins.map(({ name }) => name);

const loadIn = (
  workingFolder: string,
  otherFolders: readonly string[],
  file?: string,
): Promise<LoadedConfig> => loadConfig({ workingFolder, otherFolders, file });

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'popper-config-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

async function install(
  folder: string,
  name: string,
  code: string,
  manifest: object = { exports: './index.js' },
) {
  const place = join(folder, 'node_modules', name, 'index.js');
  await mkdir(dirname(place), { recursive: true });
  await writeFile(place, code);
  await writeFile(
    join(dirname(place), 'package.json'),
    JSON.stringify({ name, type: 'module', ...manifest }),
  );
}

describe('options of the command line', () => {
  it('that a config cannot read are a problem, and not passed over', async () => {
    const here = await folderWith({
      'popper.config.yaml': 'listen: [{ port: 0 }]\nstateDir: var\nplugins: []',
    });
    const flags = { ...noFlags, statistics: true, bulletins: '/var/bulls' };
    await rejects(
      loadConfig({ workingFolder: here, flags }),
      /no function of the command line, so -s -b would change nothing/,
    );
    await loadConfig({ workingFolder: here });
  });

  it('that ask for Kerberos where no plugin has it are a problem', async () => {
    const here = await folderWith({ 'popper.config.ts': `export default () => (${minimal});` });
    const flags = { ...noFlags, kerberos: true };
    await rejects(loadConfig({ workingFolder: here, flags }), (error) => {
      ok(error instanceof ConfigError);
      match(error.message, /-k asks for Kerberos, and auth-kerberos is not among them/);
      match(error.problems[0]?.fix ?? '', /^leave -k out: popper brings no plugin for Kerberos/);
      return true;
    });
  });
});
