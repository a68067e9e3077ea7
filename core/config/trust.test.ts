import { deepStrictEqual as deepEqual, strictEqual as equal, match } from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { distrust } from './trust.ts';

describe('root runs a config only where nobody else could have written it', () => {
  let folder = '';
  let file = '';
  /** The files belong to whoever runs this test, so to root he is the one who called sudo. */
  let root = { uid: 0, sudoUid: 0 };
  /** A group that is not root's: any will do for root, and others can give away to their own alone. */
  const strangersGroup = process.getgid?.() || 4321;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'popper-trust-'));
    await mkdir(join(folder, 'etc'), { mode: 0o755 });
    file = join(folder, 'etc', 'popper.config.ts');
    await writeFile(file, '', { mode: 0o644 });
    root = { uid: 0, sudoUid: (await stat(file)).uid };
  });
  after(() => rm(folder, { recursive: true }));

  const reasons = async (path = file, runner: Parameters<typeof distrust>[1] = root) =>
    (await distrust(path, runner)).map(({ what }) => what);

  it('a file and folder that only the owner can write are trusted', async () => {
    await chmod(file, 0o644);
    await chmod(join(folder, 'etc'), 0o755);
    deepEqual(await reasons(), []);
  });

  it('a file that everybody can write is not, and chmod is the way out', async () => {
    await chmod(file, 0o646);
    const [problem, ...others] = await distrust(file, root);
    match(problem?.what ?? '', /can be changed by everybody/);
    equal(problem?.fix, `chmod go-w ${file}`);
    equal(others.length, 0);
    await chmod(file, 0o644);
  });

  it('a folder that everybody can write is not: the file in it can be replaced', async () => {
    await chmod(join(folder, 'etc'), 0o777);
    match((await reasons()).join(), /etc can be changed by everybody/);
    await chmod(join(folder, 'etc'), 0o755);
  });

  it('a file or folder that a group can write is not, unless it is the group of root', async () => {
    for (const [place, mode] of [
      [file, 0o664],
      [join(folder, 'etc'), 0o775],
    ] as const) {
      const { gid, mode: modeBefore } = await stat(place);
      await chown(place, -1, strangersGroup);
      await chmod(place, mode);
      deepEqual(await reasons(), [
        `root will not run it: ${place} can be changed by group ${strangersGroup}`,
      ]);
      await chown(place, -1, gid);
      // Only root can give it the group of root.
      deepEqual((await reasons()).length, gid === 0 ? 0 : 1);
      await chmod(place, modeBefore & 0o777);
    }
  });

  it('a symbolic link is judged by what it leads to', async () => {
    const link = join(folder, 'popper.config.ts');
    await symlink(file, link);
    deepEqual(await reasons(link), []);
    await chmod(file, 0o602);
    match((await reasons(link)).join(), /etc\/popper\.config\.ts can be changed by everybody/);
    await chmod(file, 0o644);
  });

  it('a file of another user is not trusted, though only he can write it', async () => {
    const ownUid = (await stat(file)).uid;
    // Root can give a file away; whoever else runs this test is himself the stranger.
    if (ownUid === 0) await chown(file, 1234, 0);
    match((await reasons(file, { uid: 0 })).join(), /belongs to uid \d+, who could change it/);
    await chown(file, ownUid, -1);
  });

  it('who is not root runs what he likes', async () => {
    await chmod(file, 0o666);
    deepEqual(await reasons(file, { uid: 1000 }), []);
    await chmod(file, 0o644);
  });
});
