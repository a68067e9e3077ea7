import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, chown, link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, afterEach, test } from 'node:test';

import { readRhosts } from './rhosts-file.ts';
import { uid } from './testing/site.ts';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'popper-rhosts-'));
  if (process.getuid?.() === 0) await chown(home, uid, uid);
});
afterEach(() => rm(home, { recursive: true }));

const path = (): string => join(home, '.rhosts');

async function make(mode = 0o600, owner = uid): Promise<void> {
  await writeFile(path(), 'ws.example.org\n');
  await chmod(path(), mode);
  if (process.getuid?.() === 0) await chown(path(), owner, owner);
}

const refused = async (): Promise<string> => {
  const rhosts = await readRhosts(home, uid);
  return 'refused' in rhosts ? rhosts.refused : 'believed';
};

for (const mode of [0o620, 0o602, 0o666]) {
  test(`a .rhosts file of mode ${mode.toString(8)} could be anybody's, and is not believed`, async () => {
    await make(mode);
    assert.match(await refused(), /\.rhosts may be written to by others/);
  });
}

const needsRoot = process.getuid?.() === 0 ? false : 'only root can give files away';

test('a .rhosts file of somebody else is not believed', { skip: needsRoot }, async () => {
  await make(0o644, uid + 1);
  assert.match(await refused(), /belongs to uid \d+, and not to the user/);
});

test('a .rhosts file that is a link, also to one of the user, is not followed', async () => {
  await make();
  execFileSync('mv', [path(), join(home, 'real')]);
  await symlink(join(home, 'real'), path());
  assert.match(await refused(), /ELOOP/);
  await rm(path());
  await link(join(home, 'real'), path());
  assert.match(await refused(), /has more than one name/);
});

test('a .rhosts that is a pipe or a folder does not keep anybody waiting', async () => {
  execFileSync('mkfifo', ['-m', '600', path()]);
  assert.match(await refused(), /is no regular file/);
  await rm(path());
  await mkdir(path());
  assert.match(await refused(), /is no regular file/);
});

test('a .rhosts file that is too big, or not there, is not believed', async () => {
  assert.match(await refused(), /ENOENT/);
  await make();
  await writeFile(path(), 'x'.repeat(65_537));
  assert.match(await refused(), /has more than 65536 octets/);
});

test('a .rhosts file of the user is believed, readable by others or not', async () => {
  for (const mode of [0o600, 0o644]) {
    await make(mode);
    assert.deepEqual(await readRhosts(home, uid), { text: 'ws.example.org\n' });
  }
});

for (const mode of [0o775, 0o757, 0o1777]) {
  test(`a home of mode ${mode.toString(8)}, where others could put another .rhosts, has none that is believed`, async () => {
    await make();
    await chmod(home, mode);
    assert.match(await refused(), /popper-rhosts-\w+ may be written to by others/);
  });
}

test('a .rhosts file in a home of somebody else is not believed', { skip: needsRoot }, async () => {
  await make();
  await chown(home, uid + 1, uid + 1);
  assert.match(await refused(), /popper-rhosts-\w+ belongs to uid \d+, and not to the user/);
});
