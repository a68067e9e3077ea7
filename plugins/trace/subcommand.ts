import { parseArgs } from 'node:util';

import { allowedNameRule, type Subcommand, type SubcommandIo } from 'popperd';

import { readTargets, writeTargets } from './target-file.ts';
import { alive, maxTargets, type Target, targetNamed, without } from './targets.ts';

const defaultMinutes = 60;
const maxMinutes = 1440;

const usage = `usage: popper trace USER|ADDRESS [--minutes N]   trace a user, or the clients of an IP address
       popper trace USER|ADDRESS --off           no longer
       popper trace --list                       show who is traced, and until when

The running daemon shows what they and it say to each other, passwords masked, in its trace file, or else in its log at
info. It begins within a second, in sessions that are open, too, and ends by itself after ${defaultMinutes} minutes, or N (1 to ${maxMinutes}).
Ends with 0 when done, 1 for --off where nobody was traced, 2 when it cannot be done.
`;

/** `popper trace`: says in this file whom the daemon is to trace. */
export const traceSubcommand = (path: () => string): Subcommand => ({
  name: 'trace',
  summary: 'show what a user, or an address, and the running daemon say to each other',
  usage,

  async run(args, io) {
    const request = requestIn(args);
    if (typeof request === 'string') {
      io.stderr.write(`popper trace: ${request}\n`);
      return 2;
    }
    try {
      return await act(request, path(), io);
    } catch (error) {
      io.stderr.write(`popper trace: ${path()}: ${reasonOf(error)}\n`);
      return 2;
    }
  },
});

type Name = Pick<Target, 'kind' | 'name'>;
type Request =
  | { readonly kind: 'list' }
  | { readonly kind: 'off'; readonly target: Name }
  | { readonly kind: 'on'; readonly target: Name; readonly minutes: number };

/** What is wanted, or what is wrong with it. */
function requestIn(args: readonly string[]): Request | string {
  const read = wordsIn(args);
  if (read === undefined) return wrong;
  const { values, positionals } = read;
  const [word, ...others] = positionals;
  if (values.list === true) return args.length === 1 ? { kind: 'list' } : wrong;
  const isOdd = values.off === true && values.minutes !== undefined;
  if (word === undefined || others.length > 0 || isOdd) return wrong;
  const target = targetNamed(word);
  if (target === undefined) return `expected an IP address or the name of a user; ${allowedNameRule}`;
  return values.off === true ? { kind: 'off', target } : requestOn(target, values.minutes);
}

function requestOn(target: Name, text = String(defaultMinutes)): Request | string {
  const minutes = /^[1-9][0-9]{0,3}$/.test(text) ? Number(text) : Infinity;
  if (minutes <= maxMinutes) return { kind: 'on', target, minutes };
  return `--minutes: expected a whole number from 1 to ${maxMinutes}, got ${text}`;
}

const wrong = `this is not how it is called\n${usage}`.trimEnd();

function wordsIn(args: readonly string[]) {
  const [boolean, string] = [{ type: 'boolean' }, { type: 'string' }] as const;
  const options = { off: boolean, list: boolean, minutes: string };
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch {
    return undefined;
  }
}

async function act(request: Request, path: string, io: SubcommandIo): Promise<number> {
  const nowMs = Date.now();
  const traced = alive(readTargets(path), nowMs);
  if (request.kind === 'list') return list(traced, io);
  const { target } = request;
  const others = without(traced, target);
  if (request.kind === 'off') {
    if (others.length === traced.length) return complain(io, `${target.name} is not traced`);
    await writeTargets(path, others);
    io.stdout.write(`${target.name} is no longer traced\n`);
    return 0;
  }
  if (others.length >= maxTargets) throw new Error(`${maxTargets} are traced already: turn some --off`);
  const added = { ...target, untilMs: nowMs + request.minutes * 60_000 };
  await writeTargets(path, [...others, added]);
  return list([added], io);
}

function list(targets: readonly Target[], { stdout }: SubcommandIo): number {
  if (targets.length === 0) stdout.write('nobody is traced\n');
  for (const { kind, name, untilMs } of targets)
    stdout.write(`${kind} ${name} is traced until ${new Date(untilMs).toISOString()}\n`);
  return 0;
}

function complain({ stderr }: SubcommandIo, what: string): number {
  stderr.write(`popper trace: ${what}\n`);
  return 1;
}

const reasons: ReadonlyMap<unknown, string> = new Map([
  ['ENOENT', 'its folder is not there: the daemon makes it when it is started for the first time'],
  ['EACCES', 'may not be written by this user: be root, or the user that popper is started as'],
  ['EPERM', 'may not be written by this user: be root, or the user that popper is started as'],
]);

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return ('code' in error ? reasons.get(error.code) : undefined) ?? error.message;
}
