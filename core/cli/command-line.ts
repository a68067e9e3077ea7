import { type Flags, noFlags } from '../config/flags.ts';

/** What stands on a command line before a subcommand's word: options of the classic popper, and where the config is. */
export interface CommandLine {
  readonly flags: Flags;
  /** The config that `-c` named. */
  readonly file: string | undefined;
  /** From the first word on that is none of these options. */
  readonly rest: readonly string[];
}

/** An option that the classic popper did not have, or one without its value. */
export class WrongOption extends Error {}

interface Draft {
  flags: Flags;
  file: string | undefined;
}

/** One option's letter; the value is undefined where there is none. Throws a WrongOption where it is to have one. */
type Take = (draft: Draft, value: string) => void;

const switches: Readonly<Record<string, Partial<Flags>>> = {
  d: { debug: true },
  s: { statistics: true },
  k: { kerberos: true },
};

const valued: Readonly<Record<string, Take>> = {
  t: (draft, trace) => set(draft, { trace }),
  T: (draft, seconds) => set(draft, { timeoutSeconds: secondsIn(seconds) }),
  b: (draft, bulletins) => set(draft, { bulletins }),
  c: (draft, file) => void (draft.file = file),
};

/** Popper's own, which stand alone. */
const alone = ['-h', '-V'];

/**
 * Takes options from the front as getopt does: `-ds`, `-T30` and `-T 30` are all right. Throws a WrongOption. Long options but
 * `--config` are left where they are. What it finds is put over what is known from before.
 */
export function readCommandLine(
  args: readonly string[],
  { flags, file }: Pick<CommandLine, 'flags' | 'file'> = { flags: noFlags, file: undefined },
): CommandLine {
  const draft: Draft = { flags, file };
  let rest = args;
  while (isOption(rest[0])) rest = takeOption(rest, draft);
  return { ...draft, rest };
}

const isOption = (word: string | undefined): word is string =>
  word !== undefined && !alone.includes(word) && (/^-[^-]/.test(word) || /^--config(=|$)/.test(word));

function takeOption([word = '', ...rest]: readonly string[], draft: Draft): readonly string[] {
  if (word.startsWith('--')) return takeValue(draft, 'c', /^--config=(.+)$/s.exec(word)?.[1] ?? '', rest);
  const [letter, tail] = [word.slice(1, 2), word.slice(2)];
  const turned = Object.hasOwn(switches, letter) ? switches[letter] : undefined;
  if (turned === undefined) return takeValue(draft, letter, tail, rest);
  set(draft, turned);
  return tail === '' ? rest : [`-${tail}`, ...rest];
}

/** The value stands in the same word or is the next one. */
function takeValue(
  draft: Draft,
  letter: string,
  attached: string,
  [next, ...others]: readonly string[],
): readonly string[] {
  const take = Object.hasOwn(valued, letter) ? valued[letter] : undefined;
  if (take === undefined) throw new WrongOption(`there is no option -${letter}${whoseItWas(letter)}`);
  const value = attached === '' ? next : attached;
  if (value === undefined) throw new WrongOption(`-${letter} wants something behind it`);
  take(draft, value);
  if (attached !== '') return next === undefined ? others : [next, ...others];
  return others;
}

/** Those that qpopper had besides. */
const qpoppers = new Set('CDefKlpRSuUvxy');

const whoseItWas = (letter: string): string =>
  qpoppers.has(letter) ? ": it was qpopper's, and docs/guide/from-qpopper.md says what it is here" : '';

function secondsIn(text: string): number {
  // As milliseconds a timer of Node's can hold no more.
  if (/^[1-9][0-9]{0,6}$/.test(text) && Number(text) <= 2_147_483) return Number(text);
  throw new WrongOption(`-T wants seconds, 1 to 2147483, and not ${text}`);
}

function set(draft: Draft, flags: Partial<Flags>): void {
  draft.flags = { ...draft.flags, ...flags };
}

/** The flags as words of a command line, for a process that is to have the same. */
export const wordsOf = ({ debug, statistics, kerberos, trace, timeoutSeconds, bulletins }: Flags) => [
  ...(debug ? ['-d'] : []),
  ...(statistics ? ['-s'] : []),
  ...(kerberos ? ['-k'] : []),
  ...(trace === undefined ? [] : ['-t', trace]),
  ...(timeoutSeconds === undefined ? [] : ['-T', String(timeoutSeconds)]),
  ...(bulletins === undefined ? [] : ['-b', bulletins]),
];

/** What the classic popper said of a wrong option. */
export const classicUsage = 'Usage: popper [-d] [-k] [-s] [-t trace-file] [-T timeout] [-b bulldir]\n';
