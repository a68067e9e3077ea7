/** A stretch of a file's text: offsets in UTF-16 units, the end not included. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A step into a value: a key, or the index of an array's element. */
export type Path = readonly PropertyKey[];

/**
 * The text of a config file, and where in it a value of the configuration was written. A path of a plugin's option starts
 * with `plugins` and the plugin's index, and goes on inside its options.
 */
export interface Source {
  readonly file: string;
  readonly text: string;
  /** The value at the path; where the path cannot be followed to its end, the innermost thing it leads to. */
  locate(path: Path): Span | undefined;
  /** The key that the path ends with, or undefined where it is not written in this file. */
  locateKey(path: Path): Span | undefined;
}

/** A source nothing can be found in: the file could not be parsed, or was not read. */
export const plainSource = (file: string, text: string): Source => ({
  file,
  text,
  locate: () => undefined,
  locateKey: () => undefined,
});

/** Where a span starts, as editors count: both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

/** The span at a place, to the end of the word that stands there. */
export function spanAt(text: string, { line, column }: Place): Span {
  const lines = text.split('\n');
  const lineStart = lines.slice(0, line - 1).reduce((offset, { length }) => offset + length + 1, 0);
  return wordAt(text, Math.min(lineStart + column - 1, text.length));
}

/** The word that begins at an offset; where none does, the character there. */
export function wordAt(text: string, start: number): Span {
  const word = /^(?:"(?:[^"\\]|\\.)*"|[\w$]+)/.exec(text.slice(start))?.[0] ?? ' ';
  return { start, end: start + word.length };
}
