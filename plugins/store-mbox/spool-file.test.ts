import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, chown, link, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { Failure } from 'popperd';

import { realFiles } from './commit/index.ts';
import { openSpoolFile } from './spool-file.ts';
import { systemError, WatchedFiles } from './testing/watched-files.ts';

const owner = process.getuid?.() ?? 0;
const trust = { owner, mailGroup: undefined };

describe('a spool where others can write does no harm', () => {
  let folder = '';
  let path = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'popper-spool-'));
    path = join(folder, 'mrose');
    await writeFile(path, 'From x\n', { mode: 0o600 });
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function refusal(over: Partial<typeof trust> = {}): Promise<string> {
    const files = realFiles;
    const error: unknown = await openSpoolFile(files, path, 'read', { ...trust, ...over }).then(
      async (file) => file?.close().then(() => undefined),
      (failure: unknown) => failure,
    );
    assert.ok(error instanceof Failure, 'it was opened');
    assert.equal(error.code, 'SYS/PERM');
    assert.ok(!error.message.includes(folder), 'the client is told a path');
    assert.ok(error.cause instanceof Error);
    return error.cause.message;
  }

  it('what is no file at all is called by its name', async () => {
    await rm(path);
    execFileSync('mkfifo', ['-m', '600', path]);
    assert.match(await refusal(), /mrose: is a pipe, socket or device, not a regular file: move it away$/);
  });

  it('a regular file of the user is opened', async () => {
    const file = await openSpoolFile(realFiles, path, 'read-write', trust);
    assert.ok(file !== undefined);
    await file.close();
  });

  it('a missing one is no error', async () => {
    assert.equal(await openSpoolFile(realFiles, join(folder, 'nobody'), 'read', trust), undefined);
  });

  it('a symbolic link is not followed', async () => {
    await rename(path, join(folder, 'secret'));
    await symlink(join(folder, 'secret'), path);
    assert.match(await refusal(), /not a regular file: move it away/);
  });

  it('a pipe does not make the daemon wait', async () => {
    await rm(path);
    execFileSync('mkfifo', ['-m', '600', path]);
    assert.match(await refusal(), /not a regular file/);
  });

  it('a folder is no mailbox', async () => {
    await rm(path);
    await mkdir(path);
    assert.match(await refusal(), /not a regular file/);
  });

  it('a hard link to it makes it somebody else’s, too', async () => {
    await link(path, join(folder, 'other'));
    assert.match(await refusal(), /has 2 names/);
  });

  it('another owner’s is refused, unless the option says whose it is', async () => {
    assert.match(
      await refusal({ owner: owner + 1 }),
      /belongs to uid \d+, and this user is uid .*passwd add FILE USER --uid/,
    );
  });

  it('one that everybody may write to is refused', async () => {
    await chmod(path, 0o606);
    assert.match(await refusal(), /chmod o-w/);
  });

  it('one that a group may write to is refused, unless it is the mail group', async () => {
    await chmod(path, 0o660);
    assert.match(await refusal(), /chmod g-w/);
    const mailGroup = process.getgid?.() ?? 0;
    if (process.getuid?.() === 0) await chown(path, owner, mailGroup);
    const file = await openSpoolFile(realFiles, path, 'read', { owner, mailGroup });
    assert.ok(file !== undefined);
    await file.close();
  });

  it('a name that is exchanged again and again is given up, with no descriptor left open', async () => {
    const files = new WatchedFiles(realFiles);
    let opened = 0;
    files.before = async ({ what }) => {
      if (what !== 'lstat') return;
      opened += 1;
      await rm(path);
      await writeFile(path, 'From y\n', { mode: 0o600 });
    };
    // The old inode is kept, or its number would be used again at once.
    const kept = await realFiles.open(path, 'read');
    await assert.rejects(openSpoolFile(files, path, 'read', trust), { code: 'SYS/TEMP' });
    assert.ok(opened > 1);
    await kept.close();
  });

  for (const [code, says] of [
    ['EROFS', 'SYS/PERM'],
    ['EACCES', 'SYS/PERM'],
    ['EMFILE', 'SYS/TEMP'],
    ['EIO', 'SYS/TEMP'],
  ] as const) {
    it(`${code} is told as ${says}`, async () => {
      const files = new WatchedFiles(realFiles);
      files.before = ({ what }) => {
        if (what === 'open') throw systemError(code);
      };
      await assert.rejects(openSpoolFile(files, path, 'read-write', trust), { code: says });
    });
  }
});
