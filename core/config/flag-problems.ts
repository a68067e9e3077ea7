import type { Plugin } from '../plugin/plugin.ts';
import { type Flags, givenFlags } from './flags.ts';
import type { ConfigProblem } from './problem.ts';
import type { Source } from './source.ts';

const kerberosPlugin = 'auth-kerberos';

/** A config that nothing on the command line can change, where the command line wants to. */
export function unheededFlags(exported: unknown, flags: Flags, source: Source): readonly ConfigProblem[] {
  const given = givenFlags(flags);
  if (typeof exported === 'function' || given.length === 0) return [];
  const options = given.join(' ');
  const what = `it is no function of the command line, so ${options} would change nothing`;
  const fix = `export ({ flags }) => ({ ... }) from popper.config.ts and read the flags there; or leave ${options} out, and set in the file what they stand for`;
  return [{ source, what, fix }];
}

/** `-k` where nobody could heed it. */
export function missingKerberos(
  plugins: readonly Pick<Plugin, 'name'>[],
  { kerberos }: Flags,
  source: Source,
): readonly ConfigProblem[] {
  if (!kerberos || plugins.some(({ name }) => name === kerberosPlugin)) return [];
  const what = `plugins: -k asks for Kerberos, and ${kerberosPlugin} is not among them`;
  const fix = `leave -k out: popper brings no plugin for Kerberos, and users log in by password, over TLS; or write one that is called ${kerberosPlugin}, and add it where flags.kerberos is true`;
  return [{ source, span: source.locate(['plugins']), what, fix }];
}
