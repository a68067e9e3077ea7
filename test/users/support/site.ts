import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A user of the system; nobody in /etc/passwd needs to know him. */
export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly password: string;
}

export const alice: User = { name: 'alice', uid: 2001, gid: 2001, password: 'white rabbit' };
export const bob: User = { name: 'bob', uid: 2002, gid: 2002, password: 'hammer and nail' };
/** Let in by the auth plugin, and by nobody else. */
export const system: User = { name: 'games', uid: 5, gid: 60, password: 'let me in' };
export const minUid = 1000;
export const users: readonly User[] = [alice, bob, system];

/** Folders of a daemon that serves system users: made by root, mailboxes of their owners. */
export class Site {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Site> {
    const site = new Site(await mkdtemp(join(tmpdir(), 'popper-users-')));
    await chmod(site.folder, 0o711);
    await mkdir(site.stateDir, { mode: 0o711 });
    await mkdir(site.spool, { mode: 0o755 });
    return site;
  }

  get stateDir(): string {
    return join(this.folder, 'state');
  }

  get spool(): string {
    return join(this.folder, 'spool');
  }

  mboxOf(user: User): string {
    return join(this.spool, user.name);
  }

  /** A new file: where all may make files, Debian's kernels let nobody write to another's, though he be root (fs.protected_regular). */
  async deliver(user: User, mbox: string | Buffer): Promise<void> {
    await rm(this.mboxOf(user), { force: true });
    await writeFile(this.mboxOf(user), mbox, { mode: 0o600 });
    await chown(this.mboxOf(user), user.uid, user.gid);
  }

  async mailOf(user: User): Promise<string> {
    return readFile(this.mboxOf(user), 'latin1');
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}
