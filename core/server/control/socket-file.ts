import { execFile } from 'node:child_process';
import { chmod, chown, link, lstat, mkdir, mkdtemp, rm, stat, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import type { ControlAddress } from '../../settings.ts';

/**
 * Lets a server listen on a unix socket that only those may connect to whom mode and group name, from its first moment
 * on: it is made in a private folder and linked to its place when it is right. One that a dead daemon left there is
 * replaced, and nothing else is. Answers what removes it again; throws an Error for the operator.
 */
export async function listenOnFile(server: Server, address: ControlAddress): Promise<() => Promise<void>> {
  const { path } = address;
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o711 });
  await refuseOpenFolder(folder);
  await clear(path);
  const workshop = await mkdtemp(join(folder, '.c'));
  try {
    // No longer than the name that is the default, since a socket's path must be short.
    const made = join(workshop, 's');
    await listen(server, made);
    if (address.group !== undefined) await chown(made, -1, await gidOf(address.group));
    await chmod(made, modeOf(address));
    const { ino } = await lstat(made);
    // Fails where another daemon that starts at the same time was quicker.
    await link(made, path).catch((cause: unknown) => {
      throw new Error(`control socket: cannot put it at ${path}: ${String(cause)}`, { cause });
    });
    return () => removeOwn(path, ino);
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await rm(workshop, { recursive: true });
  }
}

/** The owner's alone, unless there is a group for it. */
const modeOf = ({ mode, group }: ControlAddress): number => mode ?? (group === undefined ? 0o600 : 0o660);

/** Whoever may write to the folder may put another socket in its place and hear what was meant for this daemon. */
async function refuseOpenFolder(folder: string): Promise<void> {
  const { uid, mode } = await stat(folder);
  const own = process.geteuid?.() ?? 0;
  if (uid !== 0 && uid !== own) {
    throw new Error(`control socket: ${folder} belongs to uid ${uid}: chown ${own} ${folder}, ${elsewhere}`);
  }
  const isSticky = (mode & 0o1000) !== 0;
  if ((mode & 0o022) !== 0 && !isSticky) {
    throw new Error(`control socket: others may write to ${folder}: chmod go-w ${folder}, ${elsewhere}`);
  }
}

const elsewhere = 'or name another place, control: { path }';

/** Removes what a dead daemon left there; throws where it is anything else. */
async function clear(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there === undefined) return;
  if (!there.isSocket()) throw new Error(`control socket: ${path} is there and is no socket: move it away`);
  if (await answers(path)) {
    throw new Error(`control socket: another program answers on ${path}: stop that one, ${elsewhere}`);
  }
  await unlink(path);
}

/** A full queue (EAGAIN) has an owner; only who is refused talks to nobody. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void =>
      reject(
        new Error(`control socket: cannot listen in ${dirname(dirname(path))}: ${cause.message}`, { cause }),
      );
    server.once('error', failed);
    server.listen({ path }, () => {
      server.off('error', failed);
      resolve();
    });
  });
}

/** Groups may come from anywhere (LDAP, sssd), and getent asks them all; Node cannot. */
async function gidOf(group: string | number): Promise<number> {
  if (typeof group === 'number') return group;
  const { stdout } = await promisify(execFile)('getent', ['group', '--', group]).catch((cause: unknown) => {
    throw new Error(`control socket: there is no group ${group}: make it, or mend control: { group }`, {
      cause,
    });
  });
  return Number(stdout.split(':')[2]);
}

/** Another daemon may have come after us, and what lies there is its. */
async function removeOwn(path: string, inode: number): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there?.ino === inode) await unlink(path);
}
