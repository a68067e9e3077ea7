import { type Document, isMap, isNode, isPair, isScalar, isSeq, type Pair } from 'yaml';

import type { Path, Source, Span } from './source.ts';

/** Finds the values of a JSON or YAML config in its text. */
export function dataSource(file: string, text: string, document: Document): Source {
  return {
    file,
    text,
    locate: (path) => follow(document, path).span,
    locateKey(path) {
      const { pair } = follow(document, path);
      return pair && spanOf(pair.key);
    },
  };
}

interface Followed {
  readonly span: Span | undefined;
  /** The pair the last step led to, where the path could be followed to its end. */
  readonly pair?: Pair | undefined;
}

function follow(document: Document, path: Path): Followed {
  let node: unknown = document.contents;
  let followed: Followed = { span: spanOf(node) };
  for (const [depth, key] of path.entries()) {
    // ["name", { options }]: a plugin's options are the second of two.
    if (depth === 2 && path[0] === 'plugins' && isSeq(node)) node = node.items[1];
    const { value, pair } = step(node, key, document);
    if (value === undefined) return { span: followed.span };
    node = value;
    followed = { span: spanOf(value) ?? (pair && spanOf(pair.key)) ?? followed.span, pair };
  }
  return followed;
}

interface Step {
  readonly value?: unknown;
  readonly pair?: Pair | undefined;
}

function step(container: unknown, key: PropertyKey, document: Document): Step {
  const node = isNode(container) && 'resolve' in container ? container.resolve(document) : container;
  if (isSeq(node)) return { value: typeof key === 'number' ? node.items[key] : undefined };
  if (!isMap(node)) return {};
  const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
  return pair ? { value: pair.value ?? pair.key, pair } : {};
}

function spanOf(node: unknown): Span | undefined {
  const range = isNode(node) ? node.range : undefined;
  return range ? { start: range[0], end: range[1] } : undefined;
}
