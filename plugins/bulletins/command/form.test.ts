import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { BulletinSite } from '../testing/bulletin-site.ts';

const program = `import { bulletinsCommand } from ${JSON.stringify(import.meta.resolve('./subcommand.ts'))};
import { BulletinFolder } from ${JSON.stringify(import.meta.resolve('../bulletin-folder.ts'))};
import { Groups } from ${JSON.stringify(import.meta.resolve('../groups.ts'))};
const folder = new BulletinFolder(process.argv[1]);
const library = { folder, groups: new Groups(undefined, ''), host: 'example.org', counters: 'state', stateDir: '' };
process.exitCode = await bulletinsCommand(library).run(process.argv.slice(2), process);`;

/** Runs it on a terminal of its own; each answer is typed when a question has appeared. */
async function typed(folder: string, answers: readonly string[]): Promise<{ code: unknown; screen: string }> {
  const words = [
    process.execPath,
    '-C',
    'popper-source',
    '--input-type=module',
    '-e',
    program,
    folder,
    'add',
  ];
  const line = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  const terminal = spawn('script', ['-qec', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const seen = { screen: '', asked: 0 };
  terminal.stdout.on('data', (chunk) => {
    seen.screen += String(chunk);
    const asked = seen.screen.match(/Subject: |single dot:/g)?.length ?? 0;
    for (; seen.asked < asked; seen.asked++) terminal.stdin.write(answers[seen.asked] ?? '');
  });
  const code = await new Promise((resolve) => terminal.once('close', resolve));
  return { code, screen: seen.screen };
}

describe('on a terminal popper bulletins add asks', () => {
  test('for a subject and a text', async (t) => {
    const site = await BulletinSite.make(t);
    const folder = join(site.folder, 'bulletins');
    const { code, screen } = await typed(folder, ['Down on Sunday\r', 'We are down.\rSorry.\r.\r']);
    assert.equal(code, 0);
    assert.match(screen, /added 1\.down_on_sunday/);
    assert.ok(
      (await readFile(site.pathOf('1.down_on_sunday'), 'utf8')).endsWith('\n\nWe are down.\nSorry.\n'),
    );
  });

  test('and adds nothing for somebody who leaves', async (t) => {
    const site = await BulletinSite.make(t);
    const folder = join(site.folder, 'bulletins');
    for (const answers of [
      ['\u0004'],
      ['\r'],
      ['Down\r', '\u0003'],
      ['Down\r', 'text\r\u0003'],
      ['Down\r', '.\r'],
    ]) {
      const { code, screen } = await typed(folder, answers);
      assert.equal(code, 1, JSON.stringify(answers));
      assert.match(screen, /nothing was added/);
    }
    assert.deepEqual(await readdir(folder), []);
  });
});
