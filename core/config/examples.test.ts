import { deepStrictEqual as deepEqual, match, ok } from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parse } from 'yaml';

import { fixByExample, hasExample } from './examples.ts';
import { configSchema, knownKeysAt } from './schema.ts';
import { valueAt } from './show-value.ts';
import type { Path } from './source.ts';

/** Every key that there is, by a path that leads to it. */
const inside = (path: Path): readonly Path[] => knownKeysAt(path).map((key) => [...path, key]);
const paths: readonly Path[] = [
  ...inside([]).filter(([key]) => key !== 'plugins'),
  ['listen', 0],
  ['listen', 0, 'proxy', 'from', 0],
  ...[['listen', 0], ['listen', 0, 'proxy'], ['control'], ['tls'], ['limits'], ['log'], ['workers']].flatMap(
    inside,
  ),
];

describe('whoever wrote a value that cannot be is shown one that can:', () => {
  for (const path of paths) {
    it(path.join('.'), () => {
      ok(hasExample(path), 'there is an example');
      const value = shownIn('a.json', path);
      deepEqual(configSchema.safeParse(configWith(path, value)).error?.issues, undefined);
      // 0660 is octal in a config, and octal for nobody else.
      if (path.at(-1) === 'mode') return;
      deepEqual([shownIn('a.yaml', path), shownIn('a.ts', path)], [value, value]);
    });
  }

  it('where there is nothing at all, and where plugins are missing', () => {
    match(
      fixByExample([], 'a.yaml'),
      /^write \{ listen: \[\{ port: 110 \}\], stateDir: \/var\/lib\/popper, /,
    );
    match(fixByExample(['plugins'], 'a.json'), /^write plugins: \[\["store-mbox", \{ "spool": /);
    match(fixByExample(['plugins'], 'a.ts'), /^write plugins: \[storeMbox\(\{ spool: /);
  });
});

/** The value in the fix, as a reader of that language takes it: flow collections of YAML are what all three have in common. */
function shownIn(file: string, path: Path): unknown {
  const [, text = ''] =
    /^write (.*?)(?:, the default)?(?:, or leave it out)?$/.exec(fixByExample(path, file)) ?? [];
  const key = path.at(-1);
  const read: unknown = parse(typeof key === 'string' ? `{ ${text} }` : text);
  return typeof key === 'string' && typeof read === 'object' && read !== null ? Reflect.get(read, key) : read;
}

/** A config that is right but for what stands at the path, and has that. */
function configWith(path: Path, value: unknown): unknown {
  const isOfSocket = path.at(-1) === 'mode' || (path[0] === 'listen' && path.at(-1) === 'path');
  const port = path.at(-1) === 'inherited' ? {} : { port: 110 };
  const right = {
    listen: [isOfSocket ? { path: 'socket' } : port],
    stateDir: 'var',
    tls: { certificate: 'a', key: 'b' },
    plugins: [],
  };
  return withValue(right, path, value);
}

function withValue(whole: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  if (typeof step === 'number') return [withValue(valueAt(whole, [step]), rest, value)];
  return { ...Object(whole), [step]: withValue(valueAt(whole, [step]), rest, value) };
}
