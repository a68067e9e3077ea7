import assert from 'node:assert/strict';
import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { plainMail, putMail } from './support/mail.ts';
import { run } from './support/program.ts';
import { makeSite } from './support/site.ts';

const popper = join(import.meta.dirname, '../../core/bin/popper.js');

test('popper check names the user whose line has another uid than his mbox, and a line that mends it', async (t) => {
  const site = await makeSite(t);
  await (await site.start()).stop();
  const own = process.getuid?.() ?? 0;
  // No line may say 0.
  const owner = own === 0 ? 5001 : own;
  for (const user of ['alice', 'bob', 'carol']) {
    await putMail(site.mboxOf(user), plainMail);
    if (own === 0) await chown(site.mboxOf(user), owner, owner);
  }
  const passwd = join(site.folder, 'passwd');
  const lines = [`alice:{PLAIN}x:${owner + 1}`, `bob:{PLAIN}x:${owner}`, 'carol:{PLAIN}x', ''];
  await writeFile(passwd, lines.join('\n'));
  const { stdout } = await run(process.execPath, [popper, 'check', '-c', site.configFile], {
    home: site.folder,
  });
  const warnings = stdout.toString().match(/^warning: store-mbox: .*\n.*$/gm);
  assert.deepEqual(warnings, [
    `warning: store-mbox: ${site.mboxOf('alice')} belongs to uid ${owner}, and alice is uid ${owner + 1} in ${passwd}: it is refused\n` +
      `  fix: popper passwd add ${passwd} alice --uid ${owner}`,
  ]);
});
