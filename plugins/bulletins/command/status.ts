import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import type { SubcommandIo } from 'popperd';

import { bulletinCount } from '../bulletin-name.ts';
import { realCounterFiles } from '../counter-files.ts';
import { Counter } from '../counter.ts';
import { printable } from '../examine.ts';
import { bulletinsName, counterName } from '../places.ts';
import type { Library } from './library.ts';

/** `popper bulletins status`: how far each user is. Without counters in homes nobody has to say whose. */
export async function status(args: readonly string[], library: Library, io: SubcommandIo): Promise<number> {
  const { folder, counters, stateDir } = library;
  if (counters === 'home' && args.length === 0)
    throw new TypeError('the counters lie in homes: status HOME..., as in status /home/*');
  if (counters === 'state' && args.length > 0)
    throw new TypeError('the counters lie in the state folder: status is said alone');
  const { bulletins, highest } = await folder.list();
  const places =
    counters === 'home' ? args.map((home) => placeAt(home, resolve(home))) : await inState(stateDir());
  io.stdout.write(`${bulletinCount(bulletins.length, highest)}\n`);
  for (const { user, path } of places) {
    const number = await counterAt(path);
    const waiting = bulletins.filter((bulletin) => number !== undefined && bulletin.number > number).length;
    io.stdout.write(
      `${(number === undefined ? 'new' : String(number)).padStart(10)}  ${printable(user)}${waitingText(waiting)}\n`,
    );
  }
  return 0;
}

interface Place {
  readonly user: string;
  readonly path: string;
}

const placeAt = (user: string, folder: string): Place => ({ user, path: join(folder, counterName) });

async function inState(stateDir: string): Promise<readonly Place[]> {
  const places: Place[] = [];
  for (const uid of (await namesIn(stateDir)).filter((name) => /^\d+$/.test(name))) {
    const folder = join(stateDir, uid, bulletinsName);
    places.push(...(await namesIn(folder)).map((user) => placeAt(user, join(folder, user))));
  }
  return places.toSorted((one, other) => (one.user < other.user ? -1 : 1));
}

const namesIn = (folder: string): Promise<readonly string[]> => readdir(folder).catch(() => []);

/** Homes are their users' to fill with links and pipes: what is no counter to a login is none here. */
const counterAt = (path: string): Promise<number | undefined> =>
  new Counter(path, realCounterFiles).read().catch(() => undefined);

const waitingText = (count: number): string => (count === 0 ? '' : `  (${count} at the next login, at most)`);
