import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Another program that has a lock, until told to let go. */
export interface LockHolder {
  release(): Promise<void>;
}

/**
 * Has Python lock a file as mail programs do (fcntl, from the file's old end or all of it). Throws if it cannot get the
 * lock at once.
 */
export async function lockByFcntl(
  path: string,
  how: 'exclusive' | 'shared' | 'from the end on' = 'exclusive',
): Promise<LockHolder> {
  const flag = how === 'shared' ? 'LOCK_SH' : 'LOCK_EX';
  const start = how === 'from the end on' ? 'os.path.getsize(path)' : '0';
  const script = `
import fcntl, os, sys
path = sys.argv[1]
file = open(path, 'r+b')
fcntl.lockf(file, fcntl.${flag} | fcntl.LOCK_NB, 0, ${start})
print('locked', flush=True)
sys.stdin.read()`;
  return lockByPython(script, path);
}

/** The same by flock(2), as the oldest mail programs do. */
export async function lockByFlock(path: string): Promise<LockHolder> {
  const script = `
import fcntl, sys
file = open(sys.argv[1], 'r+b')
fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
print('locked', flush=True)
sys.stdin.read()`;
  return lockByPython(script, path);
}

async function lockByPython(script: string, path: string): Promise<LockHolder> {
  const python = spawn('python3', ['-c', script, path], {
    stdio: ['pipe', 'pipe', 'ignore'],
    // A test that fails does not let go.
    timeout: 60_000,
  });
  const exited = once(python, 'exit');
  const locked = await Promise.race([once(python.stdout, 'data').then(() => true), exited.then(() => false)]);
  if (!locked) throw new Error(`python could not lock ${path}`);
  return {
    async release() {
      python.stdin.end();
      await exited;
    },
  };
}

/** Whether Python could get the lock now. */
export async function canLockByFcntl(path: string): Promise<boolean> {
  try {
    await (await lockByFcntl(path)).release();
    return true;
  } catch {
    return false;
  }
}
