/** The login shells of shells(5). No line of it can be wrong: what is no path is no shell. */
export function parseShells(text: string): {
  readonly shells: ReadonlySet<string>;
  readonly problems: readonly [];
} {
  const words = text.split('\n').map((line) => line.replace(/#.*$/, '').trim());
  return { shells: new Set(words.filter((word) => word.startsWith('/'))), problems: [] };
}
