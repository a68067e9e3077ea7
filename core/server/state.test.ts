import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Failure } from '../protocol/failure.ts';
import { State } from './state.ts';

const somebody = { user: 'somebody' };
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popper-state-test-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const inUse = (error: unknown): boolean => error instanceof Failure && error.code === 'IN-USE';

test('a maildrop that one session has cannot be claimed by a second one of the same process', async () => {
  const state = new State(join(folder, 'one'));
  await state.prepare();
  const claim = await state.claim(somebody, '/var/mail/alice');
  await assert.rejects(state.claim(somebody, '/var/mail/alice'), inUse);
  await (await state.claim(somebody, '/var/mail/bob')).release();
  await claim.release();
  await (await state.claim(somebody, '/var/mail/alice')).release();
});

test('a client that comes again at once is let in when its old session ends within a second', async () => {
  const state = new State(join(folder, 'patience'));
  await state.prepare();
  const claim = await state.claim(somebody, 'drop');
  const second = state.claim(somebody, 'drop');
  await claim.release();
  await (await second).release();
});

test('a claim that is released twice does not let go what another session holds', async () => {
  const state = new State(join(folder, 'twice'));
  await state.prepare();
  const first = await state.claim(somebody, 'first');
  await first.release();
  const second = await state.claim(somebody, 'second');
  await first.release();
  await assert.rejects(state.claim(somebody, 'second'), inUse);
  await second.release();
});

test('a process that is killed leaves no lock behind', async () => {
  const stateDir = join(folder, 'killed');
  const script = `
    import { State } from ${JSON.stringify(join(import.meta.dirname, 'state.ts'))};
    const state = new State(${JSON.stringify(stateDir)});
    await state.prepare();
    await state.claim({ user: 'somebody' }, 'drop');
    console.log('claimed');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const state = new State(stateDir);
  await assert.rejects(state.claim(somebody, 'drop'), inUse);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await state.claim(somebody, 'drop')).release();
});

test('the folders are closed to others, and one that is not is refused with what to do', async () => {
  const stateDir = join(folder, 'modes');
  const state = new State(stateDir);
  await state.prepare();
  const uid = process.getuid?.() ?? 0;
  assert.equal((await stat(state.folderOfUid(uid))).mode & 0o777, 0o700);
  // With `isolation: 'user'` each user passes through it to his own folder, and sees of the others nothing.
  assert.equal((await stat(stateDir)).mode & 0o777, 0o711);
  await chmod(stateDir, 0o777);
  await assert.rejects(state.prepare(), /chmod go-w/);
});

test('a link in place of the state folder is not followed', async () => {
  const target = join(folder, 'target');
  await new State(target).prepare();
  await symlink(target, join(folder, 'link'));
  await assert.rejects(new State(join(folder, 'link')).prepare(), /is no folder/);
});

test('the lock that a user asked for last can be looked at, of the ten thousand who came last', async () => {
  const state = new State(join(folder, 'remembered'));
  await state.prepare();
  assert.equal(await state.lockOf('alice'), undefined);
  const claim = await state.claim({ user: 'alice' }, 'drop');
  assert.equal((await state.lockOf('alice'))?.isHeld, true);
  await claim.release();
  assert.equal((await state.lockOf('alice'))?.isHeld, false);
  for (let index = 0; index < 9999; index += 1) {
    await (await state.claim({ user: `user${index}` }, 'other')).release();
  }
  assert.equal((await state.lockOf('alice'))?.isHeld, false);
  await (await state.claim({ user: 'one more' }, 'other')).release();
  assert.equal(await state.lockOf('alice'), undefined);
});

test('a file where the folder is to be is told of in words, and not by the name of a call', async () => {
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  await assert.rejects(new State(file).prepare(), /stateDir: .*a-file is no folder: move it away/);
  const below = new State(join(file, 'below')).prepare();
  await assert.rejects(below, /below is not there, and uid \d+ cannot make it/);
});

test('a state folder that is made lets every user reach his own in it, whatever the umask', async () => {
  const usual = process.umask(0o077);
  try {
    const made = join(folder, 'made', 'state');
    await new State(made).prepare();
    assert.equal((await stat(made)).mode & 0o777, 0o711);
  } finally {
    process.umask(usual);
  }
});

test('a state folder that the system will not make is told of, and not tried for ever', async () => {
  await assert.rejects(new State('/proc/popper/state').prepare(), /stateDir: \/proc\/popper\/state/);
});

const lacksStrace = spawnSync('strace', ['-V']).error !== undefined && 'needs strace';

/** Folders made, and folders waited for, in this order. */
function namesOf(calls: string): readonly string[] {
  return calls.split('\n').flatMap((line) => {
    const [, call, path] = /(mkdir|fsync)\((?:\d+<|")([^>"]*)/.exec(line) ?? [];
    return path?.startsWith(folder) ? [`${call} ${path.slice(folder.length)}`] : [];
  });
}

test(
  'a machine that dies has every folder in which state was made durable, also one that a process made and died',
  { skip: lacksStrace },
  () => {
    const script = `
      import { State } from ${JSON.stringify(join(import.meta.dirname, 'state.ts'))};
      const state = new State(process.argv[1]);
      await state.prepare();
      await state.folderOf();`;
    const node = [process.execPath, '--input-type=module', '-e', script, join(folder, 'on/disk')];
    const strace = ['-f', '-y', '-qq', '-e', 'trace=mkdir,fsync'];
    const uid = process.getuid?.() ?? 0;
    const traced = [1, 2].map(() => namesOf(spawnSync('strace', [...strace, ...node]).stderr.toString()));
    assert.deepEqual(traced, [
      [
        'mkdir /on',
        'fsync ',
        'mkdir /on/disk',
        'fsync /on',
        `mkdir /on/disk/${uid}`,
        'fsync /on/disk',
        `mkdir /on/disk/${uid}`,
      ],
      ['fsync /on', `mkdir /on/disk/${uid}`, 'fsync /on/disk', `mkdir /on/disk/${uid}`],
    ]);
  },
);
