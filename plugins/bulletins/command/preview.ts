import type { SubcommandIo } from 'popperd';

import { addressOf } from '../address.ts';
import { readBulletin } from '../bulletin-file.ts';
import { readable } from '../bulletin-name.ts';
import { addressedTo, parseBulletin } from '../bulletin-text.ts';
import type { Library } from './library.ts';

/** `popper bulletins preview`: what a user will find. Ends with 1 where there is no such bulletin. */
export async function preview(args: readonly string[], library: Library, io: SubcommandIo): Promise<number> {
  const [wanted, user = 'user', ...others] = args;
  if (wanted === undefined || others.length > 0) throw new TypeError('preview NUMBER [USER]');
  const { folder, host } = library;
  const { bulletins } = await folder.list();
  const found = bulletins.filter(
    ({ name, number }) => readable(name) === wanted || String(number) === wanted,
  );
  for (const { name } of found) {
    const text = parseBulletin(await readBulletin(folder.pathOf(name)));
    if (text === undefined)
      throw new TypeError(`${readable(name)} does not begin with a From_ line, as a message in an mbox does`);
    io.stdout.write(addressedTo(addressOf(user, host), text));
  }
  if (found.length === 0) io.stderr.write(`popper bulletins: there is no bulletin ${wanted}\n`);
  return found.length === 0 ? 1 : 0;
}
