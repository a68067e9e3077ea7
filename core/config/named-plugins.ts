import { Misuse } from '../plugin/apply-error.ts';
import { codeOf, messageOf } from './error-facts.ts';
import { fixOfThrown } from './fix-of-thrown.ts';
import { missingImport } from './missing-imports.ts';
import { importAs } from './module-resolver.ts';
import type { ConfigProblem } from './problem.ts';
import { show } from './show-value.ts';
import type { Source } from './source.ts';
import { written } from './written.ts';

interface Named {
  readonly name: string;
  readonly options: unknown;
}

type Made = { readonly plugin: unknown } | { readonly problem: ConfigProblem };

/**
 * Makes the plugins that a JSON or YAML config names: `"xtnd-xlist"` or `["auth-ldap", { options }]`. What cannot be made
 * is left out as undefined, with a problem.
 */
export async function makeNamedPlugins(
  entries: readonly unknown[],
  source: Source,
): Promise<{ readonly entries: readonly unknown[]; readonly problems: readonly ConfigProblem[] }> {
  const made = await Promise.all(entries.map((entry, index) => makePlugin(entry, index, source)));
  return {
    entries: made.map((one) => ('plugin' in one ? one.plugin : undefined)),
    problems: made.flatMap((one) => ('problem' in one ? [one.problem] : [])),
  };
}

async function makePlugin(entry: unknown, index: number, source: Source): Promise<Made> {
  const span = source.locate(['plugins', index]);
  if (entry === false) return { plugin: false };
  const named = nameAndOptions(entry);
  if (named === undefined) {
    const what = `plugins[${index}]: expected "name" or ["name", { options }], got ${show(entry)}`;
    return { problem: { source, span, what, fix: fixOfEntry(entry, source.file) } };
  }
  const specifier = specifierOf(named.name);
  try {
    return callFactory(await importAs(source.file, specifier), named);
  } catch (error) {
    return { problem: { source, span, ...whyNot(error, specifier, source.file) } };
  }
}

function fixOfEntry(entry: unknown, file: string): string {
  const [named, ...others] = typeof entry === 'object' && entry !== null ? Object.keys(entry) : [];
  if (!Array.isArray(entry) && named !== undefined && others.length === 0)
    return `write a list of the two: ${written([named, {}], file)}, with the options in the braces`;
  if (!Array.isArray(entry))
    return 'write the name of a plugin, such as store-mbox, or a path that begins with ./';
  const [name] = entry;
  return `write ${written([typeof name === 'string' ? name : 'store-mbox', {}], file)}, with the options in the braces`;
}

function nameAndOptions(entry: unknown): Named | undefined {
  const [name, options, ...more]: readonly unknown[] = Array.isArray(entry) ? entry : [entry];
  const isName = typeof name === 'string' && /^(?:\.{0,2}\/.+|[\w@./-]+)$/s.test(name);
  return isName && more.length === 0 ? { name, options } : undefined;
}

/** `xtnd-xlist` is short for `popper-plugin-xtnd-xlist`; a whole package name or a path stands for itself. */
function specifierOf(name: string): string {
  const isWhole = /^(?:\.{0,2}\/|@|popper-plugin-)/.test(name);
  return isWhole ? name : `popper-plugin-${name}`;
}

function callFactory(loaded: unknown, { name, options }: Named): Made {
  const factory: unknown =
    typeof loaded === 'object' && loaded !== null ? Reflect.get(loaded, 'default') : undefined;
  if (typeof factory !== 'function') {
    throw new Misuse(
      `${name} is no popper plugin: it exports no function by default`,
      'name a plugin, which has export default definePlugin({ ... })',
    );
  }
  const plugin: unknown = options === undefined ? factory() : factory(options);
  return { plugin };
}

function whyNot(error: unknown, specifier: string, file: string): Pick<ConfigProblem, 'what' | 'fix'> {
  const message = messageOf(error);
  // Any other file that is missing is missed by the plugin, not by the config.
  const missed = codeOf(error) === 'ERR_MODULE_NOT_FOUND' && message.endsWith(` imported from ${file}`);
  if (missed) return missingImport(specifier, file);
  const fix = error instanceof Misuse ? error.fix : fixOfThrown(error);
  return { what: message, fix: fix ?? `install ${specifier} again, or mend it where it is your own` };
}
