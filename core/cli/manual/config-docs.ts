import { readFileSync } from 'node:fs';
import { extname } from 'node:path';

/** A key of the configuration as its type documents it. */
export interface DocumentedKey {
  /** `limits.connections`. */
  readonly path: readonly string[];
  readonly text: string;
}

/** What the comments of the type `Config` say, key by key, in its order: in source its file, built the declarations made of it. */
export function documentedKeys(): readonly DocumentedKey[] {
  const extension = extname(import.meta.filename) === '.ts' ? '.ts' : '.d.ts';
  const file = new URL(`../../config/define-config${extension}`, import.meta.url);
  return keysIn(readFileSync(file, 'utf8'));
}

/** The same of a source: the members of `interface Config`, and those of types written out inside of it. */
export function keysIn(source: string): readonly DocumentedKey[] {
  const [, body = ''] = /^export interface Config \{\n([^]*?)^\}/m.exec(source) ?? [];
  const [indent = ''] = /^ +/.exec(body) ?? [];
  const keys: DocumentedKey[] = [];
  let outer = '';
  for (const [, comment, spaces, key = ''] of body.matchAll(member)) {
    if (spaces === indent) outer = key;
    keys.push({ path: spaces === indent ? [key] : [outer, key], text: textOf(comment) });
  }
  return keys;
}

/** A comment, if there is one, and the member below it. */
const member = /(?:^ *(\/\*\*(?:(?!\*\/)[^])*\*\/)\n)?^( *)readonly (\w+)\??:/gm;

const textOf = (comment = ''): string =>
  comment
    .replace(/^\/\*\*/, '')
    .replace(/\*\/$/, '')
    .replaceAll(/\n\s*\*/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
