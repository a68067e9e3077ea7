import { printable } from '../../log/sanitise.ts';

/** No cell is wider; user names of 300 characters are possible. */
const widestCell = 64;

export interface Column {
  readonly name: string;
  /** Numbers stand on the right. */
  readonly align: 'left' | 'right';
}

/** Lines of a table for people. Cells are escaped where they hold anything but printable ASCII, and empty ones are a dash. */
export function tableOf(columns: readonly Column[], rows: readonly (readonly string[])[]): readonly string[] {
  const cells = rows.map((row) => row.map((cell) => (cell === '' ? '-' : printable(cell, widestCell))));
  const widths = columns.map(({ name }, index) =>
    cells.reduce((widest, row) => Math.max(widest, row[index]?.length ?? 0), name.length),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.align === 'right' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [columns.map(({ name }) => name), ...cells].map(line);
}
