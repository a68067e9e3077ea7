import { ownVersion } from '../../package-version.ts';
import type { Block, Item, Page } from './page.ts';

/** The page for man(1), in the macros of man(7). */
export function roffOf({ name, section, summary, parts }: Page): string {
  const body = parts.flatMap(({ heading, blocks }) => [
    `.SH ${heading.toUpperCase()}`,
    ...blocks.flatMap(linesOf),
  ]);
  const head = [
    `.TH ${name.toUpperCase()} ${section} "" "popper ${ownVersion}"`,
    '.SH NAME',
    `${name} \\- ${escaped(summary)}`,
  ];
  return `${[...head, ...body].join('\n')}\n`;
}

function linesOf(block: Block): readonly string[] {
  if (block.kind === 'text') return ['.PP', marked(block.text)];
  if (block.kind === 'lines') return ['.PP', '.nf', ...block.lines.map(escaped), '.fi'];
  return block.items.flatMap(itemLines);
}

const itemLines = ({ term, text }: Item): readonly string[] => [
  '.TP',
  `\\fB${escaped(term)}\\fR`,
  marked(text),
];

/** Backquotes become bold. */
const marked = (text: string): string => escaped(text).replaceAll(/`([^`]*)`/g, '\\fB$1\\fR');

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq').replace(/^\./, '\\&.');
