import { doesNotMatch, strictEqual as equal, match, ok } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';

import { makeCertificate } from '../server/testing/certificates.ts';
import { runInMemory } from './in-memory-io.ts';

/** Each broken config has the report beside it that an operator is to see. */
const fixtures = join(import.meta.dirname, '..', 'config', 'fixtures');
const nameOfFixture = /^(.+)\.(ts|js|mjs|json|yaml|yml)\.txt$/;

const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

describe('popper check shows every problem of a config with its place:', async () => {
  const names = (await readdir(fixtures)).filter(
    (name) => nameOfFixture.test(name) && name !== 'plugins.js.txt',
  );

  it('there are broken configs to try', () => ok(names.length >= 20));

  for (const name of names) {
    const [, title = '', extension = ''] = nameOfFixture.exec(name) ?? [];
    it(`${title.replaceAll('-', ' ')} (.${extension})`, async () => {
      const folder = await scratchFolder();
      await cp(join(fixtures, name), join(folder, `popper.config.${extension}`));
      const { code, stdout, stderr } = await runInMemory(['check'], folder);
      const expected = await readFile(join(fixtures, `${title}.${extension}.expected.txt`), 'utf8');
      equal(stdout.replaceAll(folder, '.'), expected);
      const problems = Number(/^(\d+) problems? in /m.exec(stdout)?.[1]);
      equal(stdout.match(/^ {2}fix: ./gm)?.length, problems, 'each problem has a fix');
      equal(stderr, '');
      equal(code, 1);
    });
  }
});

describe('popper check looks at the certificate:', () => {
  it('one that is in order is named, with its end', async () => {
    const { code, stdout } = await checkOfTls();
    match(stdout, /^ok: tls\.certificate: for DNS:localhost, IP Address:127\.0\.0\.1, valid to \d{4}-/m);
    equal(code, 0);
  });

  it('one that has expired', async () => {
    const { code, stdout } = await checkOfTls((folder) => makeCertificate(folder, { isExpired: true }));
    match(stdout, /^problem: tls\.certificate: .*server\.crt expired at .*\n {2}fix: renew it/m);
    equal(code, 1);
  });

  it('one that is not there', async () => {
    const { code, stdout } = await checkOfTls((folder) => rm(join(folder, 'server.crt')));
    match(stdout, /^problem: tls\.certificate: .*server\.crt is not there\n {2}fix: put the file there/m);
    equal(code, 1);
  });

  it('a key of another certificate', async () => {
    const { code, stdout } = await checkOfTls(async (folder) => {
      const other = await makeCertificate(folder, { name: 'other' });
      await cp(other.key, join(folder, 'server.key'));
    });
    match(
      stdout,
      /^problem: tls\.key: .*server\.key is not the key of the first certificate in .*server\.crt$/m,
    );
    equal(code, 1);
  });

  for (const form of [[], ['-traditional']]) {
    it(`a key that a passphrase locks (${form[0] ?? 'PKCS 8'}), which is said, and how to write it without`, async () => {
      const { code, stdout } = await checkOfTls((folder) => lockKey(join(folder, 'server.key'), form));
      match(
        stdout,
        /^problem: tls\.key: (.*server\.key) is locked by a passphrase, .*\n {2}fix: .*openssl pkey -in \1 -out NEW/m,
      );
      equal(code, 1);
    });
  }

  it('a key that everybody can read', async () => {
    const { code, stdout } = await checkOfTls((folder) => chmod(join(folder, 'server.key'), 0o644));
    match(stdout, /^problem: tls\.key: everybody on this machine can read .*\n {2}fix: chmod o-rwx /m);
    equal(code, 1);
  });

  it('without one, nobody can log in from elsewhere: it says so, and what to do, and is content', async () => {
    const { code, stdout } = await checkOf('idleTimeoutMs: 600000');
    match(
      stdout,
      /^warning: .*nobody can log in from elsewhere by a password, though \*:0 is open\n {2}fix: set tls/m,
    );
    equal(code, 0);
  });

  it('that passwords may go in plain everywhere is what the operator wants', async () => {
    doesNotMatch((await checkOf('cleartextLogin: always')).stdout, /log in from elsewhere/);
  });
});

describe('popper check', () => {
  it('ends with 0 for a config that is in order, and says so', async () => {
    const { code, stdout } = await checkOf('idleTimeoutMs: 600000');
    match(stdout, /^popper\.config\.yaml: in order/m);
    equal(code, 0);
  });

  it('warns of a time-out that clients do not reckon with, and is content all the same', async () => {
    const { code, stdout } = await checkOf('idleTimeoutMs: 1000');
    match(stdout, /warning: idleTimeoutMs: .*\n {2}fix: use 600000 or more/);
    equal(code, 0);
  });

  it('says which of two configs it does not look at', async () => {
    const { stdout } = await checkOf('idleTimeoutMs: 600000', { 'popper.config.yml': 'listen: []' });
    match(stdout, /warning: popper\.config\.yaml is used, and not popper\.config\.yml/);
  });

  it('asks each plugin to look at its own, names it with what it found, and ends with 1 where one is in trouble', async () => {
    const { code, stdout } = await checkOf('plugins: [./looks.js]', { 'looks.js': pluginThatLooks });
    match(stdout, /^ok: looks: the spool can be read$/m);
    match(stdout, /^problem: looks: the key has expired\n {2}fix: make a new one$/m);
    match(stdout, /: 1 problem/);
    equal(code, 1);
  });

  it('names the plugin whose look at itself ends in an error', async () => {
    const { code, stdout } = await checkOf('plugins: [./fails.js]', { 'fails.js': pluginThatFails });
    match(stdout, /problem: plugin fails, hook check: no route to host/);
    equal(code, 1);
  });

  it('ends with 2 where the config it is to look at is not there', async () => {
    const { code, stdout } = await runInMemory(['check', '-c', 'nowhere.ts'], await scratchFolder());
    match(stdout, /nowhere\.ts: there is no such file/);
    equal(code, 2);
  });
});

const pluginThatLooks = `
  import { definePlugin } from 'popperd';
  import { z } from 'zod';
  export default definePlugin({ name: 'looks', options: z.strictObject({}), apply(popper) {
    popper.hooks.check.tapPromise('looks', async (checkup) => {
      checkup.fine('the spool can be read');
      checkup.problem('the key has expired', 'make a new one');
    });
  } });`;

const pluginThatFails = `
  import { definePlugin } from 'popperd';
  import { z } from 'zod';
  export default definePlugin({ name: 'fails', options: z.strictObject({}), apply(popper) {
    popper.hooks.check.tapPromise('fails', async () => { throw new Error('no route to host'); });
  } });`;

/** A minimal config with one more line, and files beside it. */
async function checkOf(line: string, files: Readonly<Record<string, string>> = {}) {
  const folder = await scratchFolder();
  const plugins = line.startsWith('plugins') ? '' : 'plugins: []\n';
  await writeFile(
    join(folder, 'popper.config.yaml'),
    `listen: [{ port: 0 }]\nstateDir: var\n${plugins}${line}\n`,
  );
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return runInMemory(['check'], folder);
}

/** A config with a certificate, after something has been done to it. */
async function checkOfTls(spoil: (folder: string) => Promise<unknown> = async () => {}) {
  const folder = await scratchFolder();
  await makeCertificate(folder);
  await spoil(folder);
  const tls = 'tls: { certificate: server.crt, key: server.key }';
  const lines = ['listen: [{ port: 995, tls: true }]', 'stateDir: var', 'plugins: []', tls, ''];
  await writeFile(join(folder, 'popper.config.yaml'), lines.join('\n'));
  return runInMemory(['check'], folder);
}

async function lockKey(file: string, form: readonly string[]): Promise<void> {
  const args = ['pkey', '-in', file, '-aes256', '-passout', 'pass:geheim', ...form, '-out', `${file}.new`];
  await promisify(execFile)('openssl', args);
  await rename(`${file}.new`, file);
}

async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'popper-check-'));
  folders.push(folder);
  await cp(join(fixtures, 'plugins.js.txt'), join(folder, 'plugins.js'));
  return folder;
}
