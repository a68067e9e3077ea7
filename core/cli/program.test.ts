import { strictEqual as equal, match, ok } from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { type Ran, runInMemory } from './in-memory-io.ts';

let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-cli-'));
  await writeFile(
    join(folder, 'popper.config.yaml'),
    'listen: [{ port: 0 }]\nstateDir: var\nplugins: [./abacus.js]\n',
  );
  await writeFile(join(folder, 'broken.yaml'), 'listen: 7\nstateDir: var\nplugins: []\n');
  await writeFile(join(folder, 'abacus.js'), abacus);
  await writeFile(
    join(folder, 'asked.mjs'),
    `import abacus from './abacus.js';
     export default ({ flags }) => ({ listen: [{ port: 0 }], stateDir: 'var', plugins: [flags.statistics && abacus({})] });`,
  );
});
after(() => rm(folder, { recursive: true }));

const popper = (...args: readonly string[]): Promise<Ran> => runInMemory(args, folder);

describe('somebody who does not know popper', () => {
  it('is told all of it, what plugins bring as well, by --help', async () => {
    const { code, stdout, stderr } = await popper('--help');
    for (const word of ['serve', 'check', 'plugins', 'Subcommands of plugins:\n  count  add up numbers']) {
      ok(stdout.includes(word), word);
    }
    equal(stderr, '');
    equal(code, 0);
  });

  it('learns where the manual is, and what each key of the configuration means', async () => {
    match(
      (await popper('--help')).stdout,
      /help \[word\] +the manual; of config: every key of the\s+configuration/,
    );
    match((await popper('help', 'config')).stdout, /^POPPER\.CONFIG\(5\)/);
  });

  it('learns what it ends with, of all of it and of check', async () => {
    match((await popper('--help')).stdout, /Ends with 0 when it is done, or in order; with 1 /);
    match(
      (await popper('check', '--help')).stdout,
      /Ends with 0 where all is in order .*, 1 .*, 2 where there is no config/,
    );
  });

  it('is told how to see more where no config can be used', async () => {
    const { code, stdout } = await popper('--help', '-c', 'broken.yaml');
    match(stdout, /Plugins bring more subcommands; a config says which \(-c FILE\)/);
    equal(code, 0);
  });

  it('is told what is missing where he says nothing at all, for that means to serve', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'popper-cli-'));
    const { code, stdout, stderr } = await runInMemory([], empty);
    // One that this machine has in /etc/popper would be served by a test.
    match(stderr, /^popper: no config found: there is no popper\.config\.\{.+\} in\n {2}\/.+\nWrite one/);
    equal(stdout, '');
    equal(code, 2);
    await rm(empty, { recursive: true });
  });

  it('can ask for the version alone', async () => {
    const { code, stdout } = await popper('--version');
    match(stdout, /^\d+\.\d+\.\d+\n$/);
    equal(code, 0);
  });
});

describe('somebody who mistypes', () => {
  it('a subcommand is shown the nearest, of popper or of a plugin', async () => {
    match((await popper('srve')).stderr, /no subcommand srve: did you mean popper serve\?/);
    match((await popper('cuont')).stderr, /no subcommand cuont: did you mean popper count\?/);
    match(
      (await popper('frobnicate')).stderr,
      /no subcommand frobnicate: see popper --help; a plugin's is there only where the config names the plugin/,
    );
    equal((await popper('srve')).code, 2);
    equal((await popper('cuont')).code, 2);
  });

  it('an option is shown the nearest', async () => {
    const { code, stderr } = await popper('check', '--confg', 'x');
    match(stderr, /unknown option '--confg'\n\(Did you mean --config\?\)/);
    equal(code, 2);
  });

  // Section 1.1 of what is known of the classic popper.
  it('an option of the classic popper is shown its usage, word for word, and gets its exit code', async () => {
    for (const args of [['-x'], ['-T'], ['-sdq', 'serve']]) {
      const { code, stdout, stderr } = await popper(...args);
      match(stderr, /^Usage: popper \[-d\] \[-k\] \[-s\] \[-t trace-file\] \[-T timeout\] \[-b bulldir\]\n/);
      equal(stdout, '');
      equal(code, 1);
    }
  });

  it('or gives flags to a config that does not read them, is told so', async () => {
    const { code, stdout } = await popper('check', '-s');
    match(stdout, /no function of the command line, so -s would change nothing/);
    equal(code, 1);
  });

  it('or says too much, or too little, is told so', async () => {
    match((await popper('check', 'twice')).stderr, /too many arguments/);
    match((await popper('check', '-c')).stderr, /-c wants something behind it/);
    equal((await popper('check', 'twice')).code, 2);
    equal((await popper('check', '-c')).code, 1);
  });
});

describe('a subcommand that a plugin brings', () => {
  it('gets its arguments as they are, options and all, and its exit code is kept', async () => {
    const { code, stdout } = await popper('count', '1', '-c', '2', '--twice');
    equal(stdout, 'counted 1 -c 2 --twice\n');
    equal(code, 4);
    equal((await popper('count', '--', '1', '-c', '2')).stdout, 'counted -- 1 -c 2\n');
  });

  it('is looked for in the config that stands before its name, right behind it, or at the end', async () => {
    const elsewhere = ['-c', join(folder, 'popper.config.yaml')] as const;
    equal((await runInMemory([...elsewhere, 'count', '1'], tmpdir())).stdout, 'counted 1\n');
    equal((await runInMemory(['count', ...elsewhere, '1'], tmpdir())).stdout, 'counted 1\n');
    equal((await runInMemory(['count', '1', ...elsewhere], tmpdir())).stdout, 'counted 1\n');
    for (const args of [
      [`--config=${elsewhere[1]}`, 'count', '1'],
      ['count', '1', `--config=${elsewhere[1]}`],
      ['count', '1', '--config', elsewhere[1]],
    ])
      equal((await runInMemory(args, tmpdir())).stdout, 'counted 1\n');
    const own = await runInMemory([...elsewhere, 'count', '1', '-c', '2'], tmpdir());
    equal(own.stdout, 'counted 1 -c 2\n');
  });

  it('is there where the config names its plugin only for an option of the classic popper, if that is given', async () => {
    for (const args of [
      ['-s', '-c', 'asked.mjs', 'count', '1'],
      ['-c', 'asked.mjs', '-s', 'count', '1'],
    ])
      equal((await popper(...args)).stdout, 'counted 1\n');
    match((await popper('-s', '-c', 'asked.mjs', 'help', 'count')).stdout, /^usage: popper count/);
    match((await popper('-s', '-c', 'asked.mjs', '--help')).stdout, / {2}count {2}add up numbers/);
    match((await popper('-s', '-c', 'asked.mjs', 'help')).stdout, / {4}count\n/);
    const { code, stderr } = await popper('-c', 'asked.mjs', 'count', '1');
    match(
      stderr,
      /no subcommand count: .* config names the plugin, which may depend on -d, -s, -k, -t, -T and -b/,
    );
    equal(code, 2);
  });

  it('is in the manual of a config that is named behind help', async () => {
    const file = join(folder, 'popper.config.yaml');
    match((await runInMemory(['help', '-c', file], tmpdir())).stdout, /^POPPER\(8\)[^]* {4}count\n/);
    for (const args of [
      ['help', 'count', '-c', file],
      ['help', '-c', file, 'count'],
    ])
      equal((await runInMemory(args, tmpdir())).stdout, 'usage: popper count NUMBER...\n');
    match((await popper('help', '--help')).stdout, /^Usage: popper/);
  });

  it('prints its usage for --help, -h and popper help, and does nothing', async () => {
    for (const args of [
      ['count', '--help'],
      ['count', '-h'],
      ['help', 'count'],
    ]) {
      const { code, stdout } = await popper(...args);
      equal(stdout, 'usage: popper count NUMBER...\n');
      equal(code, 0);
    }
  });

  it('cannot be found without a config, and the operator learns why', async () => {
    const { code, stderr } = await popper('-c', 'nowhere.yaml', 'count', '1');
    match(stderr, /nowhere\.yaml: there is no such file\npopper count: plugins bring it/);
    equal(code, 2);
  });

  it('that needs no options is there before any config is, and in the help', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'popper-cli-'));
    const file = join(empty, 'passwd');
    // The password is read from a standard input that is empty.
    const { code, stderr } = await runInMemory(['passwd', 'add', file, 'alice'], empty);
    match(stderr, /^popper passwd: the password is empty/);
    equal(code, 2);
    const { stdout } = await runInMemory(['--help'], empty);
    match(stdout, /Subcommands of plugins:\n {2}passwd {2}add, change, delete or verify/);
    match(stdout, /Plugins bring more subcommands; a config says which/);
    match((await runInMemory(['passwrd'], empty)).stderr, /did you mean popper passwd\?/);
    await rm(empty, { recursive: true });
  });

  it('cannot be found in a broken config, whose problems are shown', async () => {
    const { code, stderr } = await popper('-c', 'broken.yaml', 'count', '1');
    match(stderr, /broken\.yaml:1:9: listen: expected a list of addresses/);
    equal(code, 2);
  });
});

describe('popper plugins', () => {
  it('shows who does what, in order', async () => {
    const { code, stdout } = await popper('plugins');
    match(stdout, /^Plugins of popper\.config\.yaml\n {2}abacus\n/);
    match(stdout, /\n {2}greeting +abacus\n/);
    match(stdout, /\n {2}command STAT +abacus\n/);
    match(stdout, /\n {2}RETR +TRANSACTION +popper\n/);
    match(stdout, /Capabilities \(CAPA\)\n(?: {2}.+\n)* {2}ABACUS 7\n/);
    match(stdout, /Mechanisms \(AUTH\)\n {2}none\n/);
    match(stdout, /Subcommands of popper\n {2}count +abacus\n/);
    equal(code, 0);
  });

  it('shows the problems of a config instead, if it has any', async () => {
    const { code, stdout, stderr } = await popper('plugins', '-c', 'broken.yaml');
    match(stderr, /1 problem in broken\.yaml/);
    equal(stdout, '');
    equal(code, 1);
  });
});

const abacus = `
  import { definePlugin } from 'popperd';
  import { z } from 'zod';
  export default definePlugin({ name: 'abacus', options: z.strictObject({}), apply(popper) {
    popper.hooks.greeting.tap('abacus', (text) => text);
    popper.hooks.command.for('STAT').tapPromise('abacus', async () => undefined);
    popper.hooks.capabilities.tap('abacus', (lines) => [...lines, 'ABACUS 7']);
    popper.subcommands.add({
      name: 'count', summary: 'add up numbers', usage: 'usage: popper count NUMBER...',
      async run(args, { stdout }) { stdout.write('counted ' + args.join(' ') + '\\n'); return 4; },
    });
  } });`;
