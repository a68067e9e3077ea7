import {
  type Document,
  isMap,
  isScalar,
  LineCounter,
  type Pair,
  parseDocument,
  type ScalarTag,
  visit,
} from 'yaml';

import { dataSource } from './data-source.ts';
import { messageOf } from './error-facts.ts';
import type { ConfigProblem } from './problem.ts';
import { type Reading, unreadable } from './reading.ts';
import { plainSource, type Source, wordAt } from './source.ts';
import { isTwiceThere, yamlSyntaxProblem } from './yaml-syntax.ts';

/** Keys that reach into what every object inherits. Nothing in a configuration is called so. */
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Reads a YAML config. Of problems of syntax the first is told: the others mostly come from it. Keys that stand twice or are
 * refused hide nothing else, and what is left without them is looked at, too.
 */
export function readYaml(file: string, text: string): Reading {
  const document = parseDocument(text, {
    lineCounter: new LineCounter(),
    prettyErrors: false,
    customTags: (tags) => [octal, ...tags],
  });
  const source = dataSource(file, text, document);
  const syntax = yamlSyntaxProblem(document, source);
  if (syntax !== undefined) return unreadable(syntax);
  const problems = [...twiceThere(document, source), ...forbidden(document, source)];
  return valueIn(document, source, problems);
}

/** `mode: 0660` is octal to whoever writes it, as it was in YAML 1.1; in 1.2 it is six hundred and sixty. */
const octal: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^0[0-7]+$/,
  resolve: (text: string) => Number.parseInt(text, 8),
};

/** Reads a JSON config. All that goes for YAML goes for it too, a key that stands twice among it. */
export function readJson(file: string, text: string): Reading {
  try {
    JSON.parse(text);
  } catch (error) {
    return unreadable(jsonProblem(error, plainSource(file, text)));
  }
  return readYaml(file, text);
}

/** Aliases that multiply one another are refused here (`maxAliasCount`). */
function valueIn(document: Document, source: Source, problems: readonly ConfigProblem[]): Reading {
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return { source, value, problems };
  } catch (error) {
    const what = `its aliases cannot be followed: ${messageOf(error)}`;
    return unreadable({ source, what, fix: 'write out in full what the aliases (*) stand for' });
  }
}

const twiceThere = ({ errors }: Document.Parsed, source: Source): readonly ConfigProblem[] =>
  errors.filter(isTwiceThere).map(({ pos: [start] }) => {
    const span = wordAt(source.text, start);
    const key = source.text.slice(span.start, span.end);
    return { source, span, what: `the key ${key} is there already`, fix: 'remove one of the two' };
  });

/** Finds them, and takes them out of the document. */
function forbidden(document: Document, source: Source): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  visit(document, {
    Map(_, map) {
      if (!isMap(map)) return;
      for (const { key } of map.items.filter(isForbidden)) {
        const span = isScalar(key) && key.range ? { start: key.range[0], end: key.range[1] } : undefined;
        problems.push({ source, span, what: `the key ${String(key)} is refused`, fix: 'remove it' });
      }
      map.items = map.items.filter((pair) => !isForbidden(pair));
    },
  });
  return problems;
}

const isForbidden = ({ key }: Pair): boolean => isScalar(key) && forbiddenKeys.has(String(key.value));

/** V8 tells the position in its message, and not for every error. */
function jsonProblem(error: unknown, source: Source): ConfigProblem {
  const message = messageOf(error);
  const position = /at position (\d+)/.exec(message)?.[1];
  const start = position === undefined ? positionOfToken(source.text) : Number(position);
  return {
    source,
    span: { start, end: start + 1 },
    what: `not JSON: ${message.replace(/ in JSON at position.*$/s, '').replace(/, "?\.\.\..*$/s, '')}`,
    fix: 'JSON knows no comments, no trailing commas and no single quotes; YAML (popper.config.yaml) does',
  };
}

/** Where the token is that V8 did not expect, for it does not say so: the shortest beginning that has one ends in it. */
function positionOfToken(text: string): number {
  let [fine, bad] = [0, text.length + 1];
  while (bad - fine > 1) {
    const middle = Math.floor((fine + bad) / 2);
    if (hasUnexpectedToken(text.slice(0, middle))) bad = middle;
    else fine = middle;
  }
  return bad - 1;
}

function hasUnexpectedToken(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return messageOf(error).startsWith('Unexpected token');
  }
}
