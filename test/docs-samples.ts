import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Sample {
  /** Where the block begins in the page, counted from 1. */
  readonly line: number;
  readonly text: string;
  /** What the file has: undefined where the block names none. */
  readonly source: string | undefined;
}

/** Languages whose blocks must come from a file; shell lines and transcripts are prose. */
const codeLanguages = new Set(['ts', 'js', 'json', 'yaml']);
const marker = /^<!-- from (?<path>[^#\s]+)(?:#(?<region>\S+))? -->$/;

/** The code blocks of a Markdown page, each with what the file has that the comment before it names. */
export function samplesIn(page: string, root: string): readonly Sample[] {
  const lines = page.split('\n');
  return blocksOf(lines).map(({ start, end }) => ({
    line: start + 1,
    text: lines.slice(start + 1, end).join('\n'),
    source: sourceNamedBefore(lines, start, root),
  }));
}

function blocksOf(lines: readonly string[]): readonly { start: number; end: number }[] {
  const blocks: { start: number; end: number }[] = [];
  for (let start = 0; start < lines.length; start += 1) {
    const language = /^```(\w*)$/.exec(lines[start] ?? '')?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf('```', start + 1);
    if (codeLanguages.has(language)) blocks.push({ start, end });
    start = end;
  }
  return blocks;
}

function sourceNamedBefore(lines: readonly string[], start: number, root: string): string | undefined {
  const before = lines.slice(0, start).findLast((line) => line !== '') ?? '';
  const { path, region } = marker.exec(before)?.groups ?? {};
  if (path === undefined) return undefined;
  const text = readFileSync(join(root, path), 'utf8').trimEnd();
  return region === undefined ? text : regionOf(text, region);
}

function regionOf(text: string, region: string): string | undefined {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.trim() === `// #region ${region}`);
  if (start === -1) return undefined;
  const end = lines.findIndex((line, index) => index > start && line.trim() === '// #endregion');
  const indent = /^ */.exec(lines[start] ?? '')?.[0].length ?? 0;
  return lines
    .slice(start + 1, end)
    .map((line) => line.slice(indent))
    .join('\n');
}
