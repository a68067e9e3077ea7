import type { Block, Page } from './page.ts';

const widthColumns = 80;

/** The page for a terminal, or for whoever has no man(1). */
export function plainOf({ name, section, summary, parts }: Page): string {
  const title = `${name.toUpperCase()}(${section})`;
  const sections = [
    { heading: 'Name', blocks: [{ kind: 'text', text: `${name} - ${summary}` } as const] },
    ...parts,
  ];
  const shown = sections.map(
    ({ heading, blocks }) => `${heading.toUpperCase()}\n${blocks.map(blockText).join('\n')}`,
  );
  return `${title}\n\n${shown.join('\n')}`;
}

function blockText(block: Block): string {
  if (block.kind === 'text') return wrapped(block.text, 4);
  if (block.kind === 'lines') return block.lines.map((line) => `    ${line}\n`).join('');
  return block.items.map(({ term, text }) => `    ${term}\n${wrapped(text, 8)}`).join('');
}

function wrapped(text: string, indent: number): string {
  const rows: string[] = [];
  let row = '';
  for (const word of text.replaceAll('`', '').split(' ')) {
    const longer = row === '' ? word : `${row} ${word}`;
    if (row !== '' && longer.length > widthColumns - indent) {
      rows.push(row);
      row = word;
    } else row = longer;
  }
  return [...rows, row].map((line) => `${' '.repeat(indent)}${line}\n`).join('');
}
