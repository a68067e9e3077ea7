// What the processes of a daemon are started by while its files change: what was checked last, and nothing that lies there now.
import assert from 'node:assert/strict';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { Daemon } from './support/daemon.ts';
import { greetAll } from './support/fronts.ts';
import { makeSite } from './support/site.ts';

const config = `
import authPasswd from 'popper-plugin-auth-passwd';
import storeMbox from 'popper-plugin-store-mbox';
import { defineConfig } from 'popperd';

import { greets } from './own/greets.ts';

export default defineConfig({
  listen: [{ host: '127.0.0.1', port: 0 }],
  stateDir: 'state',
  fronts: 2,
  log: { format: 'json' },
  plugins: [authPasswd({ file: 'passwd' }), storeMbox({ spool: 'spool/{user}' }), greets()],
});
`;

/** Of each kind that can be imported by path, some of them by one another. */
const own = {
  'greets.ts': `
    import { definePlugin } from 'popperd';
    import texts from './texts.json' with { type: 'json' };
    import { createRequire } from 'node:module';
    import word from './word.cjs';
    import imported from '#kind';

    const required = createRequire(import.meta.url)('#kind');
    const extra = await import('./extra.mjs').then((loaded) => loaded.text, () => '');
    export const greets = definePlugin({
      name: 'greets',
      apply({ hooks }) {
        const text: string = texts.one + word + imported + required + extra;
        hooks.greeting.tap('greets', () => \`\${text} \${process.pid}\`);
      },
    });`,
  'word.cjs': "module.exports = require('./part.cjs') + 'ay';",
  'part.cjs': "module.exports = '-d';",
  'texts.json': '{ "one": "one" }',
  // By one name, and yet two.
  'package.json': '{ "imports": { "#kind": { "require": "./r.cjs", "default": "./i.mjs" } } }',
  'r.cjs': "module.exports = 'r';",
  'i.mjs': "export default '-i';",
};

const edits: readonly {
  readonly what: string;
  readonly edit: (folder: string) => Promise<void>;
  /** What all clients are greeted with after a reload; undefined where that is refused. */
  readonly reloaded: string | undefined;
}[] = [
  {
    what: 'is spoilt',
    edit: (folder) => writeFile(join(folder, 'popper.config.ts'), 'export default {'),
    reloaded: undefined,
  },
  {
    what: 'imports what is spoilt',
    edit: (folder) => writeFile(join(folder, 'own/part.cjs'), 'module.exports = ;'),
    reloaded: undefined,
  },
  {
    what: 'is gone, and all that it imports',
    edit: async (folder) => {
      await rename(join(folder, 'popper.config.ts'), join(folder, 'popper.config.ts.orig'));
      await rm(join(folder, 'own'), { recursive: true });
    },
    reloaded: undefined,
  },
  {
    what: 'imports what says something else',
    edit: (folder) => writeFile(join(folder, 'own/texts.json'), '{ "one": "two" }'),
    reloaded: 'two-day-ir',
  },
  {
    what: 'imports, if it is there, what was not there',
    edit: (folder) => writeFile(join(folder, 'own/extra.mjs'), "export const text = '-extra';"),
    reloaded: 'one-day-ir-extra',
  },
];

for (const { what, edit, reloaded } of edits) {
  test(`a front is replaced by what was checked where the configuration ${what} meanwhile`, async (t) => {
    const { daemon, folder } = await served(t);
    const [one] = await greetAll(daemon.where);
    await edit(folder);
    process.kill(one?.pid ?? 0, 'SIGKILL');
    await daemon.logged(({ msg }) => msg === 'starting another front');
    assert.deepEqual(await textsOf(daemon), ['one-day-ir']);
    daemon.signal('SIGHUP');
    if (reloaded === undefined) await daemon.logged(({ msg }) => msg.startsWith('the reload failed'));
    else await daemon.logged((record) => record.msg === 'listening' && record['generation'] === 2);
    assert.deepEqual(await textsOf(daemon), [reloaded ?? 'one-day-ir']);
    assert.ok(!daemon.records.some(({ msg, reason }) => msg === 'a front died' && reason !== undefined));
  });
}

async function served(t: TestContext): Promise<{ readonly daemon: Daemon; readonly folder: string }> {
  const { folder } = await makeSite(t);
  const configFile = join(folder, 'popper.config.ts');
  await writeFile(configFile, config, { mode: 0o600 });
  await mkdir(join(folder, 'own'));
  for (const [name, text] of Object.entries(own)) await writeFile(join(folder, 'own', name), text);
  const daemon = await Daemon.start(configFile);
  t.after(() => daemon.kill());
  return { daemon, folder };
}

/** What the fronts greet with. */
async function textsOf({ where }: Daemon): Promise<readonly string[]> {
  const greeted = await greetAll(where);
  for (const { client } of greeted) client.destroy();
  return [...new Set(greeted.map(({ text }) => text))];
}
