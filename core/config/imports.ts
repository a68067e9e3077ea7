import type { Program } from 'acorn';

import type { Span } from './source.ts';

/** What a file imports, by a statement that stands in it. */
export interface Import {
  readonly specifier: string;
  readonly span: Span;
}

/** In the order of the text. */
export function importsIn(tree: Program | undefined): readonly Import[] {
  const imports: Import[] = [];
  for (const node of tree?.body ?? []) {
    const hasSource = node.type === 'ImportDeclaration' || node.type === 'ExportNamedDeclaration';
    if (!hasSource || !node.source || typeof node.source.value !== 'string') continue;
    imports.push({ specifier: node.source.value, span: node.source });
  }
  return imports;
}
