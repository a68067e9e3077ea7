import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import type { TestContext } from 'node:test';

import { BulletinFolder } from '../bulletin-folder.ts';
import type { Library } from '../command/library.ts';
import { bulletinsCommand } from '../command/subcommand.ts';
import { Groups } from '../groups.ts';
import { BulletinSite } from './bulletin-site.ts';

/** What the program has said. */
interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A site, and `popper bulletins` over its folder. */
export async function deskAt(
  t: TestContext,
  more: { groups?: Record<string, 'system' | string[]>; counters?: 'home' } = {},
) {
  const site = await BulletinSite.make(t, { options: more });
  const library: Library = {
    folder: new BulletinFolder(join(site.folder, 'bulletins')),
    groups: new Groups(more.groups, '/etc/group'),
    host: 'example.org',
    counters: more.counters ?? 'state',
    stateDir: () => join(site.state.folderOfUid(0), '..'),
  };
  /** With this on its standard input, which is no terminal. */
  const popper = async (args: readonly string[], input: string | Buffer = ''): Promise<Ran> => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const io = { stdin: Readable.from([Buffer.from(input)]), stdout, stderr };
    const code = await bulletinsCommand(library).run(args, io);
    return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
  };
  return { site, popper };
}
