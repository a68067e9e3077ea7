/** A manual page, whatever it is shown as. `code` in texts stands between backquotes. */
export interface Page {
  readonly name: string;
  /** Section of the manual: 5 for files, 8 for daemons. */
  readonly section: 5 | 8;
  /** One line: what NAME says. */
  readonly summary: string;
  readonly parts: readonly Part[];
}

export interface Part {
  readonly heading: string;
  readonly blocks: readonly Block[];
}

export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Item[] }
  | { readonly kind: 'lines'; readonly lines: readonly string[] };

export interface Item {
  readonly term: string;
  readonly text: string;
}

export const text = (...sentences: readonly string[]): Block => ({ kind: 'text', text: sentences.join(' ') });
export const list = (items: readonly Item[]): Block => ({ kind: 'list', items });
export const lines = (...all: readonly string[]): Block => ({ kind: 'lines', lines: all });
