import type { Plugin } from '../plugin/plugin.ts';
import type { ConfigProblem } from './problem.ts';
import { show } from './show-value.ts';
import type { Source } from './source.ts';

/** The major version of the plugin API that this popper has. */
const api = 1;

/** A plugin and its index in the config's list, where left-out entries count. */
export interface PlacedPlugin {
  readonly index: number;
  readonly plugin: Plugin;
}

export interface CheckedPlugins {
  readonly plugins: readonly PlacedPlugin[];
  readonly problems: readonly ConfigProblem[];
}

type Fault = Pick<ConfigProblem, 'what' | 'fix'>;

/** Looks at each entry of `plugins` without applying any. An entry that is false or undefined is left out. */
export function checkPlugins(entries: readonly unknown[], source: Source): CheckedPlugins {
  const plugins: PlacedPlugin[] = [];
  const problems: ConfigProblem[] = [];
  for (const [index, entry] of entries.entries()) {
    if (entry === false || entry === undefined) continue;
    if (isPlugin(entry)) plugins.push({ index, plugin: entry });
    else problems.push({ source, span: source.locate(['plugins', index]), ...faultOf(entry, index, source) });
  }
  return { plugins, problems };
}

function isPlugin(entry: unknown): entry is Plugin {
  return (
    typeof entry === 'object' &&
    entry !== null &&
    'api' in entry &&
    entry.api === api &&
    'name' in entry &&
    typeof entry.name === 'string' &&
    'apply' in entry &&
    typeof entry.apply === 'function' &&
    'problems' in entry &&
    Array.isArray(entry.problems)
  );
}

function faultOf(entry: unknown, index: number, source: Source): Fault {
  const name = `plugins[${index}]`;
  if (entry instanceof Promise) {
    entry.catch(() => {});
    return {
      what: `${name}: expected a plugin, got a promise`,
      fix: 'import the plugin at the top of the file, or await it',
    };
  }
  if (typeof entry === 'function') return notCalled(name, index, source);
  if (typeof entry === 'string') return nameOnly(name, entry);
  if (typeof entry !== 'object' || entry === null) {
    return { what: `${name}: expected a plugin, got ${show(entry)}`, fix: 'to leave it out write false' };
  }
  return faultOfObject(name, entry);
}

function notCalled(name: string, index: number, source: Source): Fault {
  const span = source.locate(['plugins', index]);
  const written = span ? source.text.slice(span.start, span.end) : '';
  const call = /^[\w$.]+$/.test(written) ? `${written}()` : 'call it';
  return {
    what: `${name}: expected a plugin, got a function that makes one`,
    fix: `call it, with its options if it has any: ${call}`,
  };
}

const nameOnly = (name: string, entry: string): Fault => ({
  what: `${name}: expected a plugin, got ${show(entry)}`,
  fix: `in this file a plugin is imported and called; names are for JSON and YAML`,
});

function faultOfObject(name: string, entry: object): Fault {
  if ('default' in entry && typeof entry.default === 'function') {
    return {
      what: `${name}: expected a plugin, got all that a module exports`,
      fix: "import its default export, import plugin from '...', and call that",
    };
  }
  const version = 'api' in entry ? entry.api : undefined;
  if (typeof version === 'number' && version !== api) return otherApi(name, version, entry);
  return {
    what: `${name}: expected a plugin, got ${show(entry)} that definePlugin did not make`,
    fix: 'a plugin comes from calling what a popper-plugin-* package exports by default',
  };
}

function otherApi(name: string, version: number, entry: object): Fault {
  const plugin = 'name' in entry && typeof entry.name === 'string' ? entry.name : name;
  const fix =
    version > api
      ? `install a newer popper: npm install popperd@latest`
      : `install a newer version of the plugin: npm install popper-plugin-${plugin}@latest`;
  return { what: `${plugin} was made for plugin API ${version}, and this popper has API ${api}`, fix };
}
