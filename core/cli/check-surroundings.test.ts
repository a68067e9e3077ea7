import { strictEqual as equal, match, ok } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { runInMemory } from './in-memory-io.ts';

const plugins = join(import.meta.dirname, '..', 'config', 'fixtures', 'plugins.js.txt');
const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** Runs `popper check` on a config of these lines. */
async function checked(
  lines: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
  packages: Readonly<Record<string, string>> = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'popper-check-'));
  folders.push(folder);
  await cp(plugins, join(folder, 'plugins.js'));
  const all = { listen: '[{ host: 127.0.0.1, port: 0 }]', stateDir: 'var', plugins: '[]', ...lines };
  const text = Object.entries(all).map(([key, value]) => `${key}: ${value}\n`);
  await writeFile(join(folder, 'popper.config.yaml'), text.join(''));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  for (const [name, content] of Object.entries(packages)) {
    await mkdir(join(folder, 'node_modules', name), { recursive: true });
    await writeFile(join(folder, 'node_modules', name, 'index.js'), content);
  }
  return runInMemory(['check'], folder);
}

it('popper check warns where nobody can log in, or has mail, for want of a plugin', async () => {
  const { code, stdout } = await checked({});
  match(stdout, /warning: plugins: none decides logins, so nobody can log in\n {2}fix: add one/);
  match(stdout, /warning: plugins: none stores mail, so nobody has a maildrop\n {2}fix: add one/);
  equal(code, 0);
});

it("popper check names users whose uid is too low to be served with isolation: 'user'", async () => {
  const plugin = `
const users = { root: 0, bin: 2, uucp: 10, alice: 1000 };
const canLogIn = (checkup) => {
  for (const [user, uid] of Object.entries(users))
    checkup.canLogIn({ identity: { user, uid, gid: uid, home: '/' }, source: 'x', fixOfOwner: () => '' });
};
export default () => ({
  name: 'all', api: 1, problems: [],
  apply({ hooks }) { hooks.check.tapPromise('all', async (checkup) => canLogIn(checkup)); },
});`;
  const files = { 'all.mjs': plugin };
  const config = { plugins: '[./all.mjs]', isolation: 'user', user: 'nobody', fronts: '1' };
  const { stdout } = await checked(config, files);
  match(
    stdout,
    /^warning: minUid: 3 users with a uid below 1000 can log in and will have no mail: root \(0\), bin \(2\), uucp \(10\)\n {2}fix: minUid: 2, where they are people; else lock them/m,
  );
  for (const other of [{ isolation: 'none' }, { minUid: '1' }]) {
    const { stdout: said } = await checked({ ...config, ...other }, files);
    equal(/uid below \d+ can log in/.test(said), !('isolation' in other), said);
  }
});

it('popper check warns of a plugin that is in the list twice', async () => {
  const plugin = `export default () => ({ name: 'twin', api: 1, problems: [], apply() {} });`;
  const { stdout } = await checked({ plugins: '[./twin.mjs, ./twin.mjs]' }, { 'twin.mjs': plugin });
  match(stdout, /warning: plugins: twin is there more than once/);
});

it('popper check says so where the folder for state is a file, or below one', async () => {
  const file = await checked({}, { var: '' });
  match(file.stdout, /problem: stateDir: .*\/var is no folder\n {2}fix: move it away/);
  equal(file.code, 1);
  const below = await checked({ stateDir: 'file/var' }, { file: '' });
  match(below.stdout, /problem: stateDir: .*file\/var is not there, and .* cannot make it in .*file/);
});

it('popper check warns of a port that is taken, and of an address that is not of this machine', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const listen = `[{ host: 127.0.0.1, port: ${port} }, { host: 192.0.2.1, port: ${port} }]`;
  const { code, stdout } = await checked({ listen });
  server.close();
  match(stdout, /warning: listen: cannot listen on 127\.0\.0\.1:\d+: another program has it/);
  match(stdout, /warning: listen: cannot listen on 192\.0\.2\.1:\d+: this machine has no such address/);
  equal(code, 0);
});

it('popper check says so where the folder for a unix socket is not there', async () => {
  const { code, stdout } = await checked({ listen: '[{ path: nowhere/pop3.sock }]' });
  match(stdout, /problem: listen: there is no folder .*\/nowhere for pop3\.sock\n {2}fix: make it, or /);
  equal(code, 1);
  equal((await checked({ listen: '[{ path: pop3.sock }]' })).code, 0);
});

const looksAsFront = `export default () => ({ name: 'looks', api: 1, problems: [], apply({ hooks }) {
  hooks.check.tapPromise('looks', async (checkup) => checkup.asFront(() => {
    const others = process.getgroups().filter((group) => group !== process.getegid());
    checkup.fine(\`for \${checkup.frontUser} it is uid \${process.geteuid()} in group \${process.getegid()}, \${others.length ? 'and others' : 'without others'}\`);
  }));
} });`;

const looksAsAuth = looksAsFront
  .replace('asFront', 'asAuth')
  .replace('checkup.frontUser', 'checkup.authUser?.name');

const breaksAsFront = `export default () => ({ name: 'breaks', api: 1, problems: [], apply({ hooks }) {
  hooks.check.tapPromise('breaks', async (checkup) => checkup.asFront(() => {
    throw new Error('what nobody expected');
  }));
} });`;

const asked = (user: string) => checked({ isolation: 'user', user });

describe(
  "popper check with isolation: 'user'",
  { skip: process.getuid?.() !== 0 && 'only root can say' },
  () => {
    it('refuses root as the one whom strangers are talked to as', async () => {
      const { stdout } = await asked('root');
      match(stdout, /problem: user: root is root, [^\n]*\n {2}fix: make an account for it alone \(useradd /);
    });

    it('names an account that is not there, and how to make it', async () => {
      const { code, stdout } = await asked('nowhere');
      match(
        stdout,
        /problem: user: this system has no account nowhere\n {2}fix: useradd --system [^\n]* nowhere\n/,
      );
      equal(code, 1);
    });

    it('says as whom strangers are talked to, and as whom passwords are checked', async () => {
      const { stdout } = await checked({ isolation: 'user', user: 'nobody', authUser: 'daemon' });
      match(stdout, /^ok: isolation: strangers are talked to as nobody \(uid 65534\)$/m);
      match(stdout, /^ok: isolation: passwords are checked as daemon \(uid 1\)$/m);
    });

    it('refuses the fronts as those who check passwords', async () => {
      const { code, stdout } = await checked({ isolation: 'user', user: 'nobody', authUser: 'nobody' });
      match(
        stdout,
        /problem: authUser: nobody is who fronts run as, [^\n]*\n {2}fix: make an account for it alone /,
      );
      equal(code, 1);
    });

    it('lets plugins look at their files with the rights that strangers are talked to with, and no longer', async () => {
      const { stdout } = await checked(
        { isolation: 'user', user: 'nobody', plugins: '[./looks.mjs, ./breaks.mjs]' },
        { 'looks.mjs': looksAsFront, 'breaks.mjs': breaksAsFront },
      );
      match(stdout, /^ok: looks: for nobody it is uid 65534 in group 65534, without others$/m);
      match(stdout, /^problem: breaks: what nobody expected$/m);
      equal(process.geteuid?.(), 0);
    });

    it('lets plugins look at their files with the rights that passwords are checked with', async () => {
      const config = { isolation: 'user', user: 'nobody', plugins: '[./looks.mjs]' };
      const { stdout } = await checked({ ...config, authUser: 'daemon' }, { 'looks.mjs': looksAsAuth });
      match(stdout, /^ok: looks: for daemon it is uid 1 in group 1, without others$/m);
      const asRoot = await checked(config, { 'looks.mjs': looksAsAuth });
      match(asRoot.stdout, /^ok: looks: for undefined it is uid 0 /m);
    });

    it('has those who are not root load what is installed, and names what they cannot read', async () => {
      const config = { isolation: 'user', user: 'nobody', authUser: 'daemon', plugins: '[./imports.mjs]' };
      const plugin = looksAsFront.replace('export', "import './closed.cjs';\nexport");
      const files = { 'imports.mjs': plugin, 'closed.cjs': '' };
      const open = await checked(config, files);
      // A plugin beside the configuration is carried to them, whoever may read it.
      ok(!open.stdout.includes('cannot load the configuration'), open.stdout);
      const packaged = { ...files, 'imports.mjs': plugin.replace('./closed.cjs', 'closed') };
      const { code, stdout } = await checked(config, packaged, { closed: 'module.exports = 1;' });
      for (const name of ['nobody', 'daemon']) {
        match(
          stdout,
          new RegExp(
            `^problem: isolation: a process of ${name} cannot load the configuration: .*permission denied.*\n {2}fix: let ${name} read`,
            'm',
          ),
        );
      }
      equal(code, 1);
    });
  },
);

it("popper check lets plugins look as itself with isolation: 'none', where it is one account that does all", async () => {
  const { stdout } = await checked({ plugins: '[./looks.mjs]' }, { 'looks.mjs': looksAsFront });
  match(stdout, new RegExp(`^ok: looks: for undefined it is uid ${process.geteuid?.()} `, 'm'));
});

it('popper check finds a problem in a host that stands for no address, as serve does', async () => {
  const { code, stdout } = await checked({ listen: '[{ host: no-such-host.invalid, port: 0 }]' });
  match(stdout, /problem: listen: cannot listen on no-such-host\.invalid:0: .*\n {2}fix: write the address/);
  equal(code, 1);
});

it('popper check says so where a config awaits what never comes, and not by a warning of Node', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'popper-check-'));
  folders.push(folder);
  const lines = [
    'const port: number = await new Promise(() => {});',
    'export default { listen: [{ port }] };',
    '',
  ];
  await writeFile(join(folder, 'popper.config.ts'), lines.join('\n'));
  const shim = join(import.meta.dirname, '..', 'bin', 'popper.js');
  const options = { cwd: folder, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['-C', 'popper-source', shim, 'check'],
    options,
  );
  match(
    stdout,
    /^popper\.config\.ts:1:22: it never finishes loading: .*\n(?:.*\n)+ {2}fix: take the await out/,
  );
  equal(stderr, '');
  equal(status, 1);
});
