import { parseArgs } from 'node:util';

import type { SubcommandIo } from 'popperd';

import { maxBulletinOctets } from '../bulletin-file.ts';
import { expiryMs } from '../expiry.ts';
import { fillIn } from './form.ts';
import type { Library } from './library.ts';
import { addBulletin } from './new-file.ts';
import { type Draft, newText } from './new-text.ts';

/** `popper bulletins add`. Throws a TypeError where it is not to be done so. */
export async function add(args: readonly string[], library: Library, io: SubcommandIo): Promise<number> {
  const { group, ...given } = optionsOf(args);
  const prefix = groupPrefix(group, library);
  const draft = await draftFrom(given, io);
  if (draft === undefined) {
    io.stderr.write('popper bulletins: nothing was added\n');
    return 1;
  }
  const nowMs = Date.now();
  const textFor = (number: number): string =>
    newText(draft, { host: library.host, nowMs, serial: `${number}.${nowMs}` });
  // Before a number is given: what is wrong with a draft shows here.
  const sample = textFor(0);
  const rest = `${prefix}${titleOf(given.title ?? draft.subject ?? subjectIn(sample))}`;
  const name = await addBulletin(library.folder.path, rest, textFor);
  io.stdout.write(`added ${name}\n`);
  return 0;
}

function optionsOf(args: readonly string[]) {
  const string = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { group: string, expires: string, subject: string, from: string, title: string },
  });
  const { expires, from } = values;
  if (from !== undefined && /[^\x20-\x7e]/.test(from))
    throw new TypeError('--from is to be an address in ASCII, as "Postmaster <postmaster@example.org>"');
  return { ...values, expiresMs: expires === undefined ? undefined : futureMs(expires) };
}

type Given = Omit<ReturnType<typeof optionsOf>, 'group'>;

function futureMs(text: string): number {
  const timeMs = expiryMs(text);
  if (timeMs === undefined)
    throw new TypeError(
      `--expires is to be a day, as 2026-12-31, or a date as mail has it, and is "${text}"`,
    );
  if (timeMs < Date.now()) throw new TypeError(`--expires is over already: "${text}"`);
  return timeMs;
}

function groupPrefix(group: string | undefined, { groups }: Library): string {
  if (group === undefined) return '';
  const known = [...groups.names, 'ALL'];
  if (groups.names.length === 0 || !known.includes(group))
    throw new TypeError(
      `there is no group ${group}: the configuration has ${groups.names.join(', ') || 'none'}`,
    );
  return `${group}.`;
}

async function draftFrom({ subject, expiresMs, from }: Given, io: SubcommandIo): Promise<Draft | undefined> {
  const isTerminal = 'isTTY' in io.stdin && io.stdin.isTTY === true;
  const form = isTerminal ? await fillIn(io, subject) : { subject, text: await textFrom(io) };
  return form && { ...form, expiresMs, from };
}

async function textFrom({ stdin }: SubcommandIo): Promise<string> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk));
    octets += chunk.length;
    if (octets > maxBulletinOctets) throw new TypeError(`a bulletin has ${maxBulletinOctets} octets at most`);
  }
  return Buffer.concat(chunks).toString('latin1');
}

const subjectIn = (text: string): string => /^subject[ \t]*:(.*)$/im.exec(text)?.[1] ?? '';

/** No dots: they set off a group. */
function titleOf(text: string): string {
  const words = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');
  return words.slice(0, maxTitleOctets).replaceAll(/^_+|_+$/g, '') || 'bulletin';
}

const maxTitleOctets = 40;
