import type { Command } from '../commands/command.ts';
import { Table } from './table.ts';

/** Which command each keyword stands for. Keywords match in any case (RFC 1939 section 3). */
export class CommandTable {
  readonly #table = new Table<Command>('command');
  readonly #extended = new Set<string>();

  add(command: Command, owner: string): void {
    this.#table.add(command.keyword, command, owner);
    const [first = '', second] = command.keyword.split(' ');
    if (second !== undefined) this.#extended.add(first);
  }

  /** The command of a line and what stands behind its keyword; a two-word keyword goes before a one-word one. */
  find(line: string): { readonly command: Command; readonly rest: string } | undefined {
    const first = wordAt(line, 0);
    // Nearly all clients write them in capitals, and making them so costs more than finding one.
    const keyword = this.#table.has(first) ? first : first.toUpperCase();
    if (this.#extended.has(keyword)) {
      const second = wordAt(line, first.length + 1);
      const command = this.#table.get(`${keyword} ${second.toUpperCase()}`);
      if (command) return { command, rest: line.slice(first.length + second.length + 2) };
    }
    const command = this.#table.get(keyword);
    return command && { command, rest: line.slice(first.length + 1) };
  }

  /** The words of a line that would be its keyword, whether a command has it or not. */
  keywordIn(line: string): string {
    const first = wordAt(line, 0);
    const second = this.#extended.has(first.toUpperCase()) ? wordAt(line, first.length + 1) : '';
    return second === '' ? first : `${first} ${second}`;
  }

  has(keyword: string): boolean {
    return this.#table.has(keyword);
  }

  entries(): Iterable<{ readonly value: Command; readonly owner: string }> {
    return this.#table.entries();
  }

  keywords(): readonly string[] {
    return Array.from(this.#table.entries(), ({ name }) => name);
  }

  freeze(): void {
    this.#table.freeze();
  }
}

function wordAt(line: string, start: number): string {
  const end = line.indexOf(' ', start);
  return end === -1 ? line.slice(start) : line.slice(start, end);
}
