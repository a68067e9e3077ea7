import { type Document, isMap, isScalar, LineCounter, parseDocument, type ScalarTag, visit } from 'yaml';

import { dataSource } from './data-source.ts';
import { messageOf } from './error-facts.ts';
import type { ConfigProblem } from './problem.ts';
import { type Reading, unreadable } from './reading.ts';
import { plainSource, type Source } from './source.ts';

/** Keys that reach into what every object inherits. Nothing in a configuration is called so. */
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

/** Reads a YAML config. Problems of syntax are reported all at once, as the parser finds them. */
export function readYaml(file: string, text: string): Reading {
  const document = parseDocument(text, {
    lineCounter: new LineCounter(),
    prettyErrors: false,
    customTags: (tags) => [octal, ...tags],
  });
  const source = dataSource(file, text, document);
  const problems = [...syntaxProblems(document, source), ...forbidden(document, source)];
  if (problems.length > 0) return { problems };
  return valueIn(document, source);
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
function valueIn(document: Document, source: Source): Reading {
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return { source, value };
  } catch (error) {
    return unreadable({ source, what: `its aliases cannot be followed: ${messageOf(error)}` });
  }
}

const syntaxProblems = (document: Document.Parsed, source: Source): readonly ConfigProblem[] =>
  [...document.errors, ...document.warnings].map(({ message, pos: [start, end] }) => ({
    source,
    span: { start, end },
    what: lowerFirst(message),
  }));

function forbidden(document: Document, source: Source): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  visit(document, {
    Map(_, map) {
      for (const { key } of isMap(map) ? map.items : []) {
        if (!isScalar(key) || !forbiddenKeys.has(String(key.value))) continue;
        const span = key.range ? { start: key.range[0], end: key.range[1] } : undefined;
        problems.push({ source, span, what: `the key ${String(key.value)} is refused`, fix: 'remove it' });
      }
    },
  });
  return problems;
}

/** V8 tells the position in its message, and not for every error: an end that came too soon is at the end. */
function jsonProblem(error: unknown, source: Source): ConfigProblem {
  const message = messageOf(error);
  const position = /at position (\d+)/.exec(message)?.[1];
  const start = position === undefined ? source.text.length : Number(position);
  return {
    source,
    span: { start, end: start + 1 },
    what: `not JSON: ${message.replace(/ in JSON at position.*$/s, '').replace(/, "?\.\.\..*$/s, '')}`,
    fix: 'JSON knows no comments, no trailing commas and no single quotes; YAML (popper.config.yaml) does',
  };
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
