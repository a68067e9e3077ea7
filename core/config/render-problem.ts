import { relative, sep } from 'node:path';
import { styleText } from 'node:util';

import type { ConfigProblem } from './problem.ts';
import { type Place, placeOf, type Span } from './source.ts';

/** How problems are to be shown. */
export interface Rendering {
  /** Files below this folder are named relative to it. */
  readonly workingFolder: string;
  /** ANSI colours, for a terminal. */
  readonly colours: boolean;
}

type Paint = (format: 'bold' | 'red' | 'cyan' | 'dim', text: string) => string;

/** Lines shown above and below the one a problem is in. */
const aroundLines = 1;
const widestLine = 160;

/** The problem as text: `file:line:column: what`, the lines around it with a mark, and the fix. Ends with a newline. */
export function renderProblem({ source, span, what, fix }: ConfigProblem, rendering: Rendering): string {
  const paint: Paint = (format, text) =>
    rendering.colours ? styleText(format, text, { validateStream: false }) : text;
  const place = span && placeOf(source.text, span.start);
  const name = nameOf(source.file, rendering.workingFolder);
  const where = place ? `${name}:${place.line}:${place.column}` : name;
  const parts = [`${paint('bold', where)}: ${what}`];
  if (span && place) parts.push(...frame({ text: source.text, span, place }, paint));
  parts.push(`  ${paint('cyan', 'fix:')} ${fix}`);
  return `${parts.join('\n')}\n`;
}

/** A file's name as the operator would type it. */
export function nameOf(file: string, workingFolder: string): string {
  const name = relative(workingFolder, file);
  // From the root of all folders a name without its slash would be taken for one in the current folder.
  if (workingFolder === sep) return file;
  return name === '..' || name.startsWith(`..${sep}`) || name === '' ? file : name;
}

interface Framed {
  readonly text: string;
  readonly span: Span;
  readonly place: Place;
}

function frame({ text, span, place }: Framed, paint: Paint): readonly string[] {
  const lines = text.split(/\r?\n/);
  const first = Math.max(1, place.line - aroundLines);
  const last = Math.min(lines.length, place.line + aroundLines);
  const digits = String(last).length;
  const shown: string[] = [];
  for (let number = first; number <= last; number += 1) {
    const line = lines[number - 1] ?? '';
    if (number !== place.line && line.trim() === '') continue;
    const hit = number === place.line;
    const label = `${hit ? '>' : ' '} ${String(number).padStart(digits)} | `;
    shown.push(
      `  ${paint(hit ? 'red' : 'dim', label)}${withoutSecrets(line).slice(0, widestLine)}`.trimEnd(),
    );
    if (hit) shown.push(`  ${paint('dim', `  ${' '.repeat(digits)} | `)}${mark(line, span, place, paint)}`);
  }
  return shown;
}

/** Carets below the span; tabs stay tabs, so that the carets stand where the text does. */
function mark(line: string, span: Span, place: Place, paint: Paint): string {
  const before = withoutSecrets(line.slice(0, place.column - 1));
  const rest = line.slice(place.column - 1);
  const length = Math.min(span.end - span.start, rest.length, widestLine - before.length);
  const shown = withoutSecrets(before + rest.slice(0, length)).length - before.length;
  return before.replaceAll(/[^\t]/g, ' ') + paint('red', '^'.repeat(Math.max(1, shown)));
}

/** Terminals are recorded and output is pasted into bug reports: what looks like a password is not shown. */
export const withoutSecrets = (line: string): string =>
  line.replaceAll(
    /((?:pas{1,2}(?:w\w*|phrase)?|pwd|secret|token|credentials?|private-?key|api-?key)["']?\s*[:=]\s*)(?:"[^"]*"?|'[^']*'?|`[^`]*`?|[^\s,"'`{[][^\s,"'`]*)/gi,
    '$1[secret]',
  );
